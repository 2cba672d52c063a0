"""Checks a premium ledger from outside: encodes every entry anew as proto/ENCODING.md says, and compares root and number of entries
of every journal with those stored. Written from that page and the tables alone; it shares nothing with the service.

    python3 tests/encoding.py sqlite PATH [--least N]
    python3 tests/encoding.py postgres URL [--least N]      (14 or later; psql by PATH, or by the environment's PSQL)

Ends with 0 where all agree; with 1 where not, or where fewer than N journals are there, and says what differs (the first 10).
"""
import argparse
import functools
import os
import pathlib
import sqlite3
import struct
import subprocess
import sys
from datetime import date
from hashlib import sha256

# Fields as on the page, each with the name of its column; `?` means optional, `+` joins what is optional together.
ORDER = ("text platform_code, text order_id, u8 assignment_no, uuid worker_id, text industry_code, text accept_area, "
         "instant accepted_at, ?instant ended_at + u8 end_kind, ?text service_agency_code, ?text source_platform_code, "
         "?text source_order_id")
ENTRIES = {  # table: type of the entry, fields
    "line": (1, "u16 slot, u8 kind, " + ORDER + ", ?instant sent_at, ?money amount, u8 premium_state, u8 premium_reason, "
             "text province_code, u32 period, u32 service_period, ?u32 rate_id, u32 registry_revision, ?u16 corrects_slot, "
             "?u8 reversal_reason"),
    "conflict": (2, ORDER + ", ?instant sent_at, digest content_digest, u16 differing, u64 compared_journal_id, "
                 "u32 compared_line_no, day received_on"),
    "refusal": (3, "text platform_code, digest payload_digest, u8 violation_code, text field, bytes payload, u32 payload_size, "
                "day received_on"),
    "watermark": (4, "text platform_code, u64 report_no, instant watermark"),  # then its hours
    "calendar_entry": (5, "u32 epoch, text platform_code, text province_code, u32 period, ?money amount, text document, ?day dated_on"),  # and its step
    "run": (9, "u32 run_no, u8 kind, u32 registry_revision, u64 seal_no, text asked, text outcome"),
    "registry_row": (5, "u32 row_id, u8 kind, text name, text platform_code, text province_code, text industry_code, text value, "
                     "?money base, ?millionths factor, day valid_from, ?day valid_to, text document, text confidence, "
                     "?u32 supersedes"),
}
HOUR = "instant hour, u64 accepted, u64 ended"
INTEGERS = {"u8": ">B", "u16": ">H", "u32": ">I", "u64": ">Q", "instant": ">q", "money": ">q", "millionths": ">Q", "day": ">i"}
LENGTHS = {"uuid": 16, "digest": 32}  # text and bytes have theirs in front
POSTGRES = {  # how PostgreSQL gives a column exactly: as an integer, or bytes in hex
    "instant": "(extract(epoch from {}) * 1000000)::bigint", "day": "{} - date '1970-01-01'",
    "money": "({} * 1000000)::bigint", "millionths": "({} * 1000000)::bigint",
    "text": "encode(convert_to({}, 'UTF8'), 'hex')", "uuid": "replace({}::text, '-', '')",
    "bytes": "encode({}, 'hex')", "digest": "encode({}, 'hex')"}


@functools.lru_cache(maxsize=None)
def fields(notation):  # [(whether optional, [(type, column)])]
    return [(field[0] == "?", [part.split() for part in field.lstrip("?").split("+")]) for field in notation.split(", ")]


# What is read: {table: [(type, column)]}; hours first, so that they are at hand when their watermarks come.
TABLES = {"watermark_hour": "text platform_code, u64 report_no, " + HOUR,
          "journal": "u64 journal_id, u32 entry_count, u8 encoding_version, digest root"}
TABLES.update({table: "u64 journal_id, u32 line_no, " + notation for table, (_, notation) in ENTRIES.items()})
TABLES["calendar_entry"] = "u8 step, " + TABLES["calendar_entry"]
TABLES = {table: [part for _, parts in fields(notation) for part in parts] for table, notation in TABLES.items()}


def rows_of_sqlite(path):
    db = sqlite3.connect(pathlib.Path(path).resolve().as_uri() + "?mode=ro", uri=True, isolation_level=None)
    db.text_factory = bytes
    db.execute("begin")  # one snapshot
    for table, columns in TABLES.items():
        names = [name for _, name in columns]
        for row in db.execute('select {} from "{}"'.format(", ".join(names), table)):
            yield table, dict(zip(names, row))


def rows_of_postgres(url):
    command = [os.environ.get("PSQL", "psql"), "-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-d", url,
               "-c", "begin isolation level repeatable read read only"]  # one snapshot
    for table, columns in TABLES.items():
        select = ", ".join(POSTGRES.get(kind, "{}").format(name) for kind, name in columns)
        command += ["-c", "copy (select '{0}', {1} from ledger.{0}) to stdout".format(table, select)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="ascii") as psql:
        for line in psql.stdout:
            table, *row = line.rstrip("\n").split("\t")
            yield table, {name: None if value == r"\N" else int(value) if kind in INTEGERS else bytes.fromhex(value)
                          for (kind, name), value in zip(TABLES[table], row)}
    if psql.returncode != 0:
        sys.exit("psql ended with {}".format(psql.returncode))


def scalar(kind, value):
    if kind == "day" and isinstance(value, bytes):  # SQLite's text
        day = date.fromisoformat(value.decode())
        if str(day) != value.decode():
            raise ValueError("a day is written {}".format(value.decode()))
        value = (day - date(1970, 1, 1)).days
    if kind in INTEGERS:
        return struct.pack(INTEGERS[kind], value)
    if len(value) != LENGTHS.get(kind, len(value)):
        raise ValueError("a {} has {} bytes".format(kind, len(value)))
    return value if kind in LENGTHS else struct.pack(">H", len(value)) + value


def encode(notation, row):
    encoded = b""
    for optional, parts in fields(notation):
        there = not optional or any(row[name] is not None for _, name in parts)
        encoded += (b"\1" if there else b"\0") if optional else b""
        encoded += b"".join(scalar(kind, row[name]) for kind, name in parts) if there else b""
    return encoded


def encode_entry(table, row, hours):
    kind = ENTRIES[table][0] + row.get("step", 0)  # PERIOD, DECLARATION and PAYMENT are steps of one table
    encoded = struct.pack(">BBQI", 1, kind, row["journal_id"], row["line_no"]) + encode(ENTRIES[table][1], row)
    if table == "watermark":
        own = sorted(hours.pop((row["platform_code"], row["report_no"]), []), key=lambda hour: hour["hour"])
        encoded += struct.pack(">H", len(own)) + b"".join(encode(HOUR, hour) for hour in own)
    return encoded


def root_of(leaves):  # RFC 6962, 2.1; one leaf or more
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\1" + root_of(leaves[:left]) + root_of(leaves[left:])).digest()


def difference(journal, leaves):
    """What differs in a journal of these (line_no, leaf), or None."""
    if journal is None:
        return "has entries, but is not there"
    if journal["encoding_version"] != 1:
        return "encoding_version is {}, not 1".format(journal["encoding_version"])
    if not leaves or len(leaves) != journal["entry_count"]:
        return "entry_count is {}, but {} are there".format(journal["entry_count"], len(leaves))
    if len(dict(leaves)) != len(leaves):
        return "a line_no is there twice"
    if not all(leaf for _, leaf in leaves):
        return None  # an entry has no encoding: said already
    root = root_of([leaf for _, leaf in sorted(leaves)])
    return None if root == journal["root"] else "root is {}, its entries give {}".format(journal["root"].hex(), root.hex())


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("database", choices=["sqlite", "postgres"])
parser.add_argument("where", metavar="PATH|URL")
parser.add_argument("--least", type=int, default=0, metavar="N")
args = parser.parse_args()
hours, journals, leaves, wrong = {}, {}, {}, []
for table, row in (rows_of_sqlite if args.database == "sqlite" else rows_of_postgres)(args.where):
    if table == "watermark_hour":
        hours.setdefault((row["platform_code"], row["report_no"]), []).append(row)
    elif table == "journal":
        journals[row["journal_id"]] = row
    else:
        leaf = b""
        try:
            leaf = sha256(b"\0" + encode_entry(table, row, hours)).digest()
            if table == "conflict" and sha256(b"\1" + encode(ORDER, row)).digest() != row["content_digest"]:
                raise ValueError("content_digest is not that of its order")
        except (struct.error, TypeError, ValueError) as error:
            wrong.append("journal {}: line_no {}, {}: {}".format(row["journal_id"], row["line_no"], table, error))
        leaves.setdefault(row["journal_id"], []).append((row["line_no"], leaf))
for journal_id in sorted(journals.keys() | leaves.keys()):
    differs = difference(journals.get(journal_id), leaves.get(journal_id, []))
    wrong += ["journal {}: {}".format(journal_id, differs)] if differs else []
wrong += ["no journal: hours of {} without report {}".format(code.decode(), number) for code, number in sorted(hours)]
wrong += ["only {} journals, not {}".format(len(journals), args.least)] if len(journals) < args.least else []
if wrong:
    print("\n".join(wrong[:10]))
    sys.exit(1)
print("checked {} journals, {} entries: all roots agree".format(len(journals), sum(map(len, leaves.values()))))
