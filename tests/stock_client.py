"""Drives a premium ledger as a platform's backend would: a stock gRPC client that knows it by server reflection alone.

    python3 tests/stock_client.py BINARY

Starts the server on a free loopback port with a SQLite ledger in a temporary folder, asks, stops it with SIGTERM, and removes
the folder. One line for each check; ends with 0 where all agree with the contract, else with 1.
Needs grpcio, grpcio-reflection, grpcio-health-checking and grpcio-status.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import datetime, timedelta, timezone

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

PACKAGE = "premium.ledger.v1"
SERVICES = [f"{PACKAGE}.{name}Service" for name in ("Intake", "Coverage", "Registry")]
WAIT = 30  # seconds for the start, and for the stop
ANSWER = 120  # seconds for one call
AGE = 1  # seconds until the server has a connection followed by another
# One order of 31 minutes on 2026-01-15, Asia/Shanghai; instants of answers come back in UTC.
ORDER = {"platform_code": "MEITUAN", "order_id": "stock-1", "worker_id": str(uuid.uuid4()), "industry_code": "instant_delivery",
         "accept_area": "310101", "accepted_at": "2026-01-15T12:00:00+08:00"}
ENDED = {**ORDER, "ended_at": "2026-01-15T12:31:00+08:00", "end_kind": "END_KIND_COMPLETED"}


class Client:
    """Calls by name; requests and answers are plain dicts with the field names of the contract."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)])  # else default: answers of at most 4 MiB
        self.reflection = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = DescriptorPool(self.reflection)

    def method(self, name):
        """Path of "Service.Method", its request and its answer."""
        service, method = name.split(".")
        found = self.pool.FindServiceByName(f"{PACKAGE}.{service}Service").FindMethodByName(method)
        path = f"/{PACKAGE}.{service}Service/{method}"
        return path, GetMessageClass(found.input_type), GetMessageClass(found.output_type)

    def sized(self, name, body):
        """The answer, and its size in bytes on the wire."""
        path, request, answer = self.method(name)
        raw = self.channel.unary_unary(path, request.SerializeToString)(ParseDict(body, request()), timeout=ANSWER)
        return as_dict(answer.FromString(raw)), len(raw)

    def call(self, name, body):
        return self.sized(name, body)[0]

    def stream(self, name, bodies):
        """Sends all without waiting for an answer; the answers as they come."""
        path, request, answer = self.method(name)
        call = self.channel.stream_stream(path, request.SerializeToString, answer.FromString)
        return [as_dict(a) for a in call((ParseDict(b, request()) for b in bodies), timeout=ANSWER)]

    def fail(self, name, body):
        """Code of a call that must fail, and the fields that its google.rpc.BadRequest names."""
        try:
            answer = self.call(name, body)
        except grpc.RpcError as error:
            status, fields = rpc_status.from_call(error), []
            for detail in status.details if status else ():
                bad = error_details_pb2.BadRequest()
                if detail.Unpack(bad):
                    fields += [violation.field for violation in bad.field_violations]
            return error.code().name, fields
        raise AssertionError(f"{name} answered {answer}")


def as_dict(message):
    return MessageToDict(message, preserving_proto_field_name=True)


def same(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def true(what, holds):
    if not holds:
        raise AssertionError(what)


def reflection_and_health(client):
    found = client.reflection.get_services()
    same("services missing in reflection", [name for name in SERVICES if name not in found], [])
    health = health_pb2_grpc.HealthStub(client.channel)
    for name in SERVICES + [""]:
        status = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=ANSWER).status
        same(f"health of {name!r}", health_pb2.HealthCheckResponse.ServingStatus.Name(status), "SERVING")


def open_end_and_replay(client):
    opened = client.call("Intake.RecordOrder", {"order": ORDER})["result"]
    same("open", (opened["outcome"], opened["premium_state"], opened["reason_code"], opened.get("premium")),
         ("OUTCOME_RECORDED", "PREMIUM_STATE_NOT_CHARGED", "PREMIUM_REASON_OPEN", None))
    ended = client.call("Intake.RecordOrder", {"order": ENDED})["result"]
    same("end", (ended["outcome"], ended["premium_state"], ended["reason_code"], ended["premium"], ended["service_period"]),
         ("OUTCOME_RECORDED", "PREMIUM_STATE_CHARGED", "PREMIUM_REASON_PRICED", "0.07", "2026-01"))
    for order, booked in ((ENDED, ended), (ORDER, opened)):
        replayed = client.call("Intake.RecordOrder", {"order": {**order, "sent_at": "2026-01-15T13:00:00+08:00"}})["result"]
        same("replay", replayed, {**booked, "outcome": "OUTCOME_REPLAYED"})


def coverage_at(client, at):
    body = {"worker_id": ORDER["worker_id"], "at": at, "purpose": "PURPOSE_OWN_RECORDS"}
    return client.call("Coverage.GetCoverage", body)["coverage"]


def coverage_both_ends_included(client):
    inside = coverage_at(client, "2026-01-15T12:15:00+08:00")
    same("reason inside", inside["reason_code"], "COVERAGE_REASON_IN_ORDER")
    same("intervals", len(inside["intervals"]), 1)
    interval = inside["intervals"][0]
    same("interval", (interval["key"]["order_id"], interval["accepted_at"], interval["ended_at"], interval["end_kind"],
                      interval["holds_instant"], interval["in_scope"], len(interval["line_ids"])),
         ("stock-1", "2026-01-15T04:00:00Z", "2026-01-15T04:31:00Z", "END_KIND_COMPLETED", True, True, 2))
    for at in (ORDER["accepted_at"], ENDED["ended_at"]):
        same(f"reason at {at}", coverage_at(client, at)["reason_code"], "COVERAGE_REASON_IN_ORDER")
    # Just outside. Before its acceptance no platform is relevant for this worker; after its end one is, without a watermark yet.
    before, after = (coverage_at(client, at) for at in ("2026-01-15T11:59:59.999999+08:00", "2026-01-15T12:31:00.000001+08:00"))
    same("just before", (before["reason_code"], before["gap_after"]), ("COVERAGE_REASON_BEFORE_ACCEPT", "0"))
    same("just after", (after["reason_code"], after["gap_before"]), ("COVERAGE_REASON_DATA_MAY_BE_INCOMPLETE", "0"))


def refusal_is_an_outcome(client):
    order = {**ORDER, "order_id": "stock-wrong", "platform_code": "NOBODY", "worker_id": "7", "accept_area": "31010",
             "end_kind": "END_KIND_COMPLETED"}
    del order["accepted_at"]
    result = client.call("Intake.RecordOrder", {"order": order})["result"]
    same("outcome and line", (result["outcome"], result.get("line_id")), ("OUTCOME_REFUSED", None))
    same("violations", [(v["field"], v["code"].removeprefix("VIOLATION_CODE_")) for v in result["violations"]],
         [("platform_code", "NOT_IN_REGISTRY"), ("worker_id", "MALFORMED"), ("accept_area", "MALFORMED"),
          ("accepted_at", "REQUIRED"), ("end_kind", "NOT_ALLOWED")])


def ten_thousand_refusals_fit_4_mib(client):
    bad = {"platform_code": "n o", "assignment_no": 100, "worker_id": "x", "industry_code": "n o", "accept_area": "x",
           "accepted_at": "2022-06-30T15:59:59.999999Z", "ended_at": "2022-06-30T15:59:59Z", "end_kind": 99,
           "service_agency_code": "n o", "source_platform_code": "n o", "source_order_id": "n o",
           "sent_at": "0001-01-01T00:00:00Z"}
    orders = [{**bad, "order_id": f"no {i}"} for i in range(10_000)]
    answer, size = client.sized("Intake.RecordOrders", {"batch_id": "wrong", "orders": orders})
    true(f"the answer has {size} bytes", size < 4 << 20)
    results = answer["results"]
    same("results", len(results), 10_000)
    same("outcomes", {r["outcome"] for r in results}, {"OUTCOME_REFUSED"})
    true("a violation has no code", all(v.get("code") for r in results for v in r["violations"]))
    counts = [len(r["violations"]) for r in results]
    whole = counts.index(1)
    same("violations before and past 3 MiB", (set(counts[:whole]), set(counts[whole:])), ({8}, {1}))
    last = results[-1]["violations"][0]
    same("the last one's only violation", last["code"], results[0]["violations"][0]["code"])


def too_many_orders(client):
    orders = [{**ENDED, "order_id": f"many-{i}"} for i in range(10_001)]
    same("10,001 orders", client.fail("Intake.RecordOrders", {"orders": orders}), ("INVALID_ARGUMENT", ["orders"]))
    key = {"platform_code": "MEITUAN", "order_id": "many-0"}
    same("the first of them", client.fail("Intake.GetOrder", {"key": key}), ("NOT_FOUND", []))


def stream_in_order(client):
    workers = [str(uuid.uuid4()) for _ in range(100)]
    batches = [{"batch_id": f"batch-{b}", "orders": [{**ENDED, "order_id": f"stream-{b}-{i}", "worker_id": workers[i]}
                                                     for i in range(100)]} for b in range(5)]
    answers = client.stream("Intake.StreamOrders", batches)
    same("batch ids", [a["batch_id"] for a in answers], [b["batch_id"] for b in batches])
    for answer in answers:
        same(answer["batch_id"], [r["outcome"] for r in answer["results"]], ["OUTCOME_RECORDED"] * 100)


def reverse_once(client):
    key = {"platform_code": "MEITUAN", "order_id": "stream-0-0"}
    body = {"request_id": "stock-reverse", "key": key, "reversal_reason": "REVERSAL_REASON_WRONG_DATA"}
    first = client.call("Intake.ReverseOrder", body)
    same("reversal", (first["reversal"]["kind"], first["reversal"]["premium"]), ("LINE_KIND_REVERSAL", "-0.07"))
    same("the same again", client.call("Intake.ReverseOrder", body), first)
    other = {**body, "reversal_reason": "REVERSAL_REASON_OTHER"}
    same("other content", client.fail("Intake.ReverseOrder", other), ("ALREADY_EXISTS", []))
    same("net premium", client.call("Intake.GetOrder", {"key": key})["net_premium"], "0.00")


def questions_that_are_refused(client):
    body = {"worker_id": ORDER["worker_id"], "at": ORDER["accepted_at"], "purpose": "PURPOSE_CLAIM"}
    same("no case_no", client.fail("Coverage.GetCoverage", body), ("INVALID_ARGUMENT", ["case_no"]))
    body["case_no"] = "C-1"
    same("with case_no", client.call("Coverage.GetCoverage", body)["coverage"]["reason_code"], "COVERAGE_REASON_IN_ORDER")
    # The first journal holds the registry's seeds; when the order was accepted there was no ledger.
    for point, seal in (({"seal": "1"}, "1"), ({"instant": ORDER["accepted_at"]}, None)):
        then = client.call("Coverage.GetCoverage", {**body, "known_at": point})["coverage"]
        told = (then["reason_code"], then.get("known_at_seal"))
        same(f"known at {point}", told, ("COVERAGE_REASON_NO_ORDER_THAT_DAY", seal))
    for point in ({"seal": "1000000"}, {"instant": "2100-01-01T00:00:00Z"}):
        same(f"known at {point}", client.fail("Coverage.GetCoverage", {**body, "known_at": point})[0], "INVALID_ARGUMENT")


def watermark(client):
    body = {"request_id": "stock-watermark", "platform_code": "MEITUAN", "watermark": "2026-01-15T13:00:00+08:00"}
    first = client.call("Intake.ReportWatermark", body)
    same("report", first["report_no"], "1")
    same("the same again", client.call("Intake.ReportWatermark", body), first)
    after = coverage_at(client, "2026-01-15T12:31:00.000001+08:00")
    same("just after the order", (after["reason_code"], after["gap_before"]), ("COVERAGE_REASON_AFTER_END", "0"))
    future = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
    body = {**body, "request_id": "stock-watermark-2", "watermark": future}
    same("in the future", client.fail("Intake.ReportWatermark", body), ("INVALID_ARGUMENT", ["watermark"]))


def rate_put_and_previewed(client):
    rate = {"header": {"valid_from": "2026-01-01", "document": "stock client"}, "platform_code": "MEITUAN", "province_code": "44",
            "industry_code": "instant_delivery", "base": "0.25", "factor": "1"}
    put = client.call("Registry.PutRate", {"request_id": "stock-rate", "rate": rate})
    same("the same again", client.call("Registry.PutRate", {"request_id": "stock-rate", "rate": rate}), put)
    preview = client.call("Registry.PreviewPremium", {"order": {**ENDED, "order_id": "preview", "accept_area": "440106"}})
    same("preview", (preview["premium"], preview["premium_state"], preview["rate"]),
         ("0.25", "PREMIUM_STATE_CHARGED", put["rate"]))
    same("registry revision", preview["registry_revision"], put["rate"]["header"]["row_id"])
    again = {"request_id": "stock-rate-2", "rate": {**rate, "base": "0.26"}}
    same("same key and day", client.fail("Registry.PutRate", again), ("ALREADY_EXISTS", []))


def unknown_order(client):
    key = {"platform_code": "MEITUAN", "order_id": "never"}
    same("unknown order", client.fail("Intake.GetOrder", {"key": key}), ("NOT_FOUND", []))


def old_connections_are_followed_unnoticed(client):
    states = []
    client.channel.subscribe(states.append)
    until = time.monotonic() + WAIT
    while states.count(grpc.ChannelConnectivity.IDLE) < 3:
        if time.monotonic() > until:
            raise AssertionError(f"the connection is never told to end: {states}")
        coverage_at(client, ORDER["accepted_at"])  # fails where a call is lost
    client.channel.unsubscribe(states.append)


CHECKS = (reflection_and_health, open_end_and_replay, coverage_both_ends_included, refusal_is_an_outcome,
          ten_thousand_refusals_fit_4_mib, too_many_orders, stream_in_order, reverse_once, questions_that_are_refused, watermark,
          rate_put_and_previewed, unknown_order, old_connections_are_followed_unnoticed)


class Report:
    """Runs and counts checks; one that fails does not stop the others."""
    passed = failed = 0

    def run(self, check, *given):
        try:
            result = check(*given)
        except Exception as error:
            reason = f"{error.code().name} {error.details()}" if isinstance(error, grpc.RpcError) else error
            print(f"FAILED {check.__name__}: {type(error).__name__}: {reason}", flush=True)
            self.failed += 1
            return None
        print(f"ok {check.__name__}", flush=True)
        self.passed += 1
        return result


def start(server, log):
    """The address that the server says it serves."""
    until = time.monotonic() + WAIT
    while time.monotonic() < until and server.poll() is None:
        for line in log.read_text().splitlines(keepends=True):
            if line.startswith("{") and line.endswith("\n"):
                fields = json.loads(line)
                if fields.get("message") == "serving":
                    return fields["address"]
        time.sleep(0.05)
    raise AssertionError(f"not serving (exit {server.poll()}): {log.read_text()}")


def stop_with_sigterm(server):
    server.terminate()
    same("exit", server.wait(timeout=WAIT), 0)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    report = Report()
    with tempfile.TemporaryDirectory(prefix="stock-client-") as folder:
        log = pathlib.Path(folder, "log")
        with log.open("wb") as out:
            server = subprocess.Popen(
                [sys.argv[1], "--log-format", "json", "serve", "--listen", "127.0.0.1:0",
                 "--database-url", f"sqlite:{folder}/ledger.sqlite", "--connection-age-seconds", str(AGE)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            if address := report.run(start, server, log):
                client = Client(address)
                for check in CHECKS:
                    report.run(check, client)
                client.channel.close()
                report.run(stop_with_sigterm, server)
        finally:
            if server.poll() is None:
                server.kill()
                server.wait()
    print(f"{report.passed} passed, {report.failed} failed")
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
