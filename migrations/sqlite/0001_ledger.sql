-- The ledger: journals and their entries, append-only, and the counters beside it.
-- Instants are integer microseconds since 1970 UTC, money integer micro-yuan, days text YYYY-MM-DD, UUIDs 16 bytes.

-- Tells this ledger from others; one row.
create table identity (
    only_row  integer not null default 1 constraint identity_pkey primary key constraint identity_one_row check (only_row = 1), -- keeps the table to one row
    ledger_id integer not null constraint identity_ledger_id_bits check (ledger_id >= 0 and ledger_id < 1099511627776)          -- random 40 bits; part of every line id
) strict;
insert into identity (ledger_id) values (random() & 1099511627775);

-- One atomic, durable group of entries: a group commit.
create table journal (
    journal_id       integer not null constraint journal_pkey primary key constraint journal_id_bits check (journal_id > 0 and journal_id < 281474976710656), -- gives no order: the seal will
    recorded_at      integer not null,                                                       -- clock of the process: when its entries were received
    entry_count      integer not null constraint journal_entry_count check (entry_count > 0), -- of all types
    encoding_version integer not null,                                                       -- of the canonical encoding (proto/ENCODING.md)
    root             blob    not null constraint journal_root_length check (length(root) = 32) -- Merkle root over its entries (RFC 6962, SHA-256)
) strict;

-- The order of the journals: gap-free numbers from 1. A journal is sealed in its own transaction: there is one writer.
create table seal (
    seal_no        integer not null constraint seal_pkey primary key constraint seal_no_positive check (seal_no > 0), -- a journal that was acknowledged before another began has the lower one
    journal_id     integer not null constraint seal_journal_key unique,
    sealed_at      integer not null, -- clock of the process within the transaction; never earlier than the number before
    through_row_no integer not null -- the last line booked by then: the journal's lines follow those of the seal before
) strict;
create index seal_at_idx on seal (sealed_at, seal_no);

-- Premium lines: what was booked of each order event and correction.
create table line (
    row_no               integer not null constraint line_pkey primary key, -- its place in this file, from 1 without holes; for worker_line
    journal_id           integer not null, -- the journal that booked it
    line_no              integer not null, -- its place in the journal, from 0
    platform_code        text    not null, -- the platform that took the order
    order_id             text    not null, -- the platform's id of the order
    assignment_no        integer not null, -- 1 unless the order was handed to another worker; at most 99
    slot                 integer not null, -- place within the order key: 0 the OPEN, 1 the first ended event, 2 and up corrections
    kind                 integer not null, -- 1 OPEN, 2 CHARGE, 3 REVERSAL, 4 ADJUSTMENT
    worker_id            blob    not null, -- opaque id of the worker, issued outside
    industry_code        text    not null, -- industry of the order
    accept_area          text    not null, -- county code (GB/T 2260) of the place of acceptance
    accepted_at          integer not null, -- when the order was accepted; cover begins
    ended_at             integer,          -- when the order ended; null: open
    end_kind             integer,          -- how the order ended (EndKind); null: open
    service_agency_code  text,             -- the agency through which the worker serves; null: none
    source_platform_code text,             -- the platform from which the order came; null: none
    source_order_id      text,             -- the order's id there; null: none
    sent_at              integer,          -- when the platform sent the event; no part of the content
    amount               integer,          -- signed premium in micro-yuan, never rounded; null: none due or none known
    premium_state        integer not null, -- 1 OUT_OF_SCOPE, 2 NOT_CHARGED, 3 RATE_PENDING, 4 CHARGED
    premium_reason       integer not null, -- why it is in that state (PremiumReason)
    province_code        text    not null, -- the province that counts for the order
    period               integer not null, -- month in which it is booked, YYYYMM, Asia/Shanghai
    service_period       integer not null, -- month that the order belongs to, YYYYMM, Asia/Shanghai
    rate_id              integer,          -- the rate row that priced it; null: none did
    registry_revision    integer not null, -- revision of the registry that priced it
    corrects_slot        integer,          -- slot of the line it corrects; null: none
    reversal_reason      integer,          -- why it was corrected (ReversalReason); null: no correction
    constraint line_slot_key unique (order_id, platform_code, assignment_no, slot),
    constraint line_slot_of_kind check (case slot when 0 then kind = 1 when 1 then kind = 2 else corrects_slot is not null end),
    constraint line_end_whole check ((ended_at is null) = (end_kind is null)),
    constraint line_amount_of_state check ((premium_state = 4) = (amount is not null) or kind > 2)
) strict;

-- Lines by worker. An index on line would change a page for every line; this is filled from it some time after, many lines at once, in the
-- order of the workers. The lines after the last fold are held in memory.
create table worker_line (
    worker_id   blob    not null, -- as in line
    accepted_at integer not null, -- as in line
    row_no      integer not null, -- the line
    constraint worker_line_pkey primary key (worker_id, accepted_at, row_no)
) strict, without rowid;

-- How far worker_line is filled: the newest row counts.
create table worker_line_fold (
    through_row_no integer not null constraint worker_line_fold_pkey primary key -- every line up to this one stands in worker_line
) strict;

-- Versions of orders that differ from the booked one; kept for a human, never booked.
create table conflict (
    journal_id           integer not null, -- the journal that keeps it
    line_no              integer not null, -- its place in the journal
    platform_code        text    not null, -- as in line; so are all columns of the order
    order_id             text    not null,
    assignment_no        integer not null,
    worker_id            blob    not null,
    industry_code        text    not null,
    accept_area          text    not null,
    accepted_at          integer not null,
    ended_at             integer,
    end_kind             integer,
    service_agency_code  text,
    source_platform_code text,
    source_order_id      text,
    sent_at              integer,
    content_digest       blob    not null, -- SHA-256 of its content (proto/ENCODING.md)
    differing            integer not null, -- bit n: the field of Order with number n differs from the line it was compared with
    compared_journal_id  integer not null, -- journal of that line
    compared_line_no     integer not null, -- place of that line
    received_on          text    not null, -- day received, Asia/Shanghai
    constraint conflict_version_key unique (platform_code, order_id, assignment_no, content_digest)
) strict;
create index conflict_day_idx on conflict (platform_code, received_on, order_id, assignment_no, content_digest);
create index conflict_worker_idx on conflict (worker_id, accepted_at);

-- Orders that were refused, each distinct one once a day.
create table refusal (
    journal_id     integer not null, -- the journal that keeps it
    line_no        integer not null, -- its place in the journal
    platform_code  text    not null, -- the platform; empty: one that the registry does not know
    payload_digest blob    not null, -- SHA-256 of the order as received
    violation_code integer not null, -- code of the first violation (ViolationCode)
    field          text    not null, -- path of its field
    payload        blob    not null constraint refusal_payload_length check (length(payload) <= 2048), -- the order as received, protobuf; its first 2 KiB
    payload_size   integer not null, -- its whole size, bytes
    received_on    text    not null, -- day received, Asia/Shanghai
    constraint refusal_key unique (platform_code, received_on, payload_digest, violation_code)
) strict;

-- Up to which instant a platform says that it has sent everything. The highest report_no counts.
create table watermark (
    journal_id    integer not null, -- the journal that booked it
    line_no       integer not null, -- its place in the journal
    platform_code text    not null, -- the platform
    report_no     integer not null, -- number among the platform's reports, from 1, gap-free
    watermark     integer not null, -- complete up to here
    constraint watermark_pkey primary key (platform_code, report_no)
) strict;

-- A platform's own counts, with a watermark report. Of an hour the highest report_no counts.
create table watermark_hour (
    platform_code text    not null, -- the platform
    report_no     integer not null, -- the report
    hour          integer not null, -- begin of the hour
    accepted      integer not null, -- orders accepted in it
    ended         integer not null, -- orders ended in it
    constraint watermark_hour_pkey primary key (platform_code, hour, report_no)
) strict;

-- Industries, provinces, platforms, scopes, rates and rules: dated rows, each ordered by a document.
create table registry_row (
    row_id        integer not null constraint registry_row_pkey primary key, -- from 1, gap-free; the newest is the registry's revision
    journal_id    integer not null, -- the journal that booked it
    line_no       integer not null, -- its place in the journal
    kind          integer not null constraint registry_row_kind check (kind between 1 and 6), -- 1 industry, 2 province, 3 platform, 4 scope, 5 rate, 6 rule
    name          text    not null, -- of an industry, province or platform; of a rule the rule's name
    platform_code text    not null, -- a platform, * for any, empty where it is no part of the key
    province_code text    not null, -- a province, * for any, empty where it is no part of the key
    industry_code text    not null, -- an industry, * for any (rules), empty where it is no part of the key
    value         text    not null, -- value of a rule; unified social credit code of a platform
    base          integer,          -- of a rate: micro-yuan an order
    factor        integer,          -- of a rate: the floating factor, in millionths
    valid_from    text    not null, -- first day it holds, Asia/Shanghai
    valid_to      text,             -- first day it no longer holds; null: open
    document      text    not null, -- number of the document that ordered it
    confidence    text    not null, -- law, press, open or empty
    supersedes    integer,          -- the row it takes the place of; null: none
    constraint registry_row_supersedes_key unique (supersedes)
) strict;
create unique index registry_row_key on registry_row
    (kind, (case kind when 6 then name else '' end), platform_code, province_code, industry_code, valid_from)
    where supersedes is null;

-- Months of a platform and province: frozen, declared, paid.
create table calendar_entry (
    epoch         integer not null constraint calendar_entry_pkey primary key, -- from 1, gap-free; the newest is the calendar's epoch
    journal_id    integer not null, -- the journal that booked it
    line_no       integer not null, -- its place in the journal
    step          integer not null constraint calendar_entry_step check (step between 1 and 3), -- 1 FREEZE, 2 DECLARATION, 3 PAYMENT
    platform_code text    not null, -- the platform
    province_code text    not null, -- the province
    period        integer not null, -- the month, YYYYMM, Asia/Shanghai
    amount        integer,          -- what was declared or paid, micro-yuan; null: a freeze
    document      text    not null, -- number of the declaration or of the tax receipt; empty: a freeze
    dated_on      text,             -- day of the declaration or payment; null: a freeze
    constraint calendar_entry_whole check ((step = 1) = (amount is null) and (step = 1) = (dated_on is null))
) strict;
create index calendar_freeze_idx on calendar_entry (epoch) where step = 1;

-- Stretches of journals whose lines are summed up in total.
create table total_fold (
    level   integer not null, -- 0: of journals. n: of eight folds of level n - 1
    fold_no integer not null, -- from 0 within its level, gap-free; fold n of a level holds folds 8n to 8n+7 of the one below
    seal_no integer not null, -- last seal in it; its first follows the last of the fold before
    constraint total_fold_pkey primary key (level, fold_no),
    constraint total_fold_seal_key unique (level, seal_no)
) strict, without rowid;

-- Sums over the lines of a fold, by what statements tell apart.
create table total (
    level             integer not null, -- the fold's level
    fold_no           integer not null, -- the fold
    platform_code     text    not null, -- as in line; so are all columns before the sums
    period            integer not null,
    province_code     text    not null,
    industry_code     text    not null,
    service_period    integer not null,
    kind              integer not null,
    premium_state     integer not null,
    end_kind          integer,
    rate_id           integer,
    registry_revision integer not null,
    lines             integer not null, -- how many lines
    amount            integer not null, -- sum of their amounts
    standing          integer not null  -- by how much the number of order keys grew of which such a line stands
) strict;
create index total_idx on total (level, fold_no, platform_code, period, province_code, industry_code);

-- Order keys that the lines of a fold told first, by hour: compared with the platforms' own counts.
create table hour_total (
    level         integer not null, -- the fold's level
    fold_no       integer not null, -- the fold
    platform_code text    not null, -- as in line
    hour          integer not null, -- begin of the hour
    accepted      integer not null, -- by how much the number of keys grew that were accepted in it
    ended         integer not null, -- by how much the number of keys grew that ended in it
    constraint hour_total_pkey primary key (level, fold_no, platform_code, hour)
) strict, without rowid;

-- Long pieces of work, as they were begun (RepriceOrders) or done (Reconcile).
create table run (
    run_no            integer not null constraint run_pkey primary key, -- from 1, gap-free
    journal_id        integer not null, -- the journal that booked it
    line_no           integer not null, -- its place in the journal
    kind              integer not null constraint run_kind check (kind between 1 and 2), -- 1 RepriceOrders, 2 Reconcile
    registry_revision integer not null, -- revision of the registry that it works by
    seal_no           integer not null, -- the newest seal when it was begun
    asked             text    not null, -- what was asked
    outcome           text    not null  -- what was found; empty where that is not known when it begins
) strict;

-- What runs of Reconcile found. The run's outcome holds the digest of all its parts. Parts of a journal that was never written are of a run that did not end.
create table difference_part (
    journal_id  integer not null, -- the journal of the run
    part_no     integer not null, -- from 0, gap-free
    differences text    not null, -- NDJSON, at most 1,000 lines
    constraint difference_part_pkey primary key (journal_id, part_no)
) strict;

-- How far journals were looked through for doubtful orders.
create table anomaly_pass (
    pass_no   integer not null constraint anomaly_pass_pkey primary key, -- from 1, gap-free
    seal_no   integer not null, -- all journals up to this seal were
    passed_on text    not null  -- day, Asia/Shanghai
) strict;

-- Doubtful orders, as they were found. Reused order ids are found among the conflicts.
create table anomaly (
    platform_code       text    not null, -- as in line; so are order_id and assignment_no
    found_on            text    not null, -- day, Asia/Shanghai
    kind                integer not null constraint anomaly_kind check (kind in (1, 3, 4)), -- 1 DUPLICATE_TRIP, 3 TWO_COMPLETED_ASSIGNMENTS, 4 OPEN_OVERDUE
    order_id            text    not null, -- the order
    assignment_no       integer not null, -- its assignment
    other_platform_code text    not null, -- the order that it meets; empty: none
    other_order_id      text    not null, -- its id
    other_assignment_no integer not null, -- its assignment; 0: none
    constraint anomaly_pkey primary key (platform_code, found_on, kind, order_id, assignment_no, other_platform_code, other_order_id, other_assignment_no)
) strict;

-- Request ids that were used, for ever: the same id and content gets the first answer again.
create table request (
    request_id text    not null constraint request_pkey primary key, -- as the caller gave it
    call       integer not null, -- 1 ReverseOrder, 2 CorrectOrder, 3 ReportWatermark, 4 a put of the registry, 5 FreezePeriod, 6 RecordDeclaration, 7 RecordPayment, 8 RepriceOrders, 9 Reconcile
    digest     blob    not null, -- SHA-256 of what was asked
    journal_id integer not null  -- the journal that the answer stands in
) strict;

-- Ordinary counters, outside the ledger.

-- How often a kept refusal came again.
create table refusal_repeat (
    platform_code  text    not null, -- as in refusal; so are the next three
    received_on    text    not null,
    payload_digest blob    not null,
    violation_code integer not null,
    repeats        integer not null, -- beyond the first
    constraint refusal_repeat_pkey primary key (platform_code, received_on, payload_digest, violation_code)
) strict;

-- How often a kept conflict came again.
create table conflict_repeat (
    platform_code  text    not null, -- as in conflict; so are the next three
    order_id       text    not null,
    assignment_no  integer not null,
    content_digest blob    not null,
    repeats        integer not null, -- beyond the first
    constraint conflict_repeat_pkey primary key (platform_code, order_id, assignment_no, content_digest)
) strict;

-- What came past the 10,000 distinct ones kept of a platform and day.
create table past_limit (
    platform_code text    not null, -- the platform; empty: one that the registry does not know
    received_on   text    not null, -- day received, Asia/Shanghai
    entry_type    integer not null, -- type of the entry that was not kept: 2 CONFLICT, 3 REFUSAL
    arrivals      integer not null, -- how many came
    constraint past_limit_pkey primary key (platform_code, received_on, entry_type)
) strict;

-- Guards: ledger tables are append-only. `recursive_triggers` is on in every connection of the service, so that INSERT OR REPLACE,
-- which deletes, meets them too.

create trigger identity_no_update before update on identity begin select raise(abort, 'identity is append-only: update refused'); end;
create trigger identity_no_delete before delete on identity begin select raise(abort, 'identity is append-only: delete refused'); end;
create trigger journal_no_update before update on journal begin select raise(abort, 'journal is append-only: update refused'); end;
create trigger journal_no_delete before delete on journal begin select raise(abort, 'journal is append-only: delete refused'); end;
create trigger seal_no_update before update on seal begin select raise(abort, 'seal is append-only: update refused'); end;
create trigger seal_no_delete before delete on seal begin select raise(abort, 'seal is append-only: delete refused'); end;
create trigger line_no_update before update on line begin select raise(abort, 'line is append-only: update refused'); end;
create trigger line_no_delete before delete on line begin select raise(abort, 'line is append-only: delete refused'); end;
create trigger worker_line_no_update before update on worker_line begin select raise(abort, 'worker_line is append-only: update refused'); end;
create trigger worker_line_no_delete before delete on worker_line begin select raise(abort, 'worker_line is append-only: delete refused'); end;
create trigger worker_line_fold_no_update before update on worker_line_fold begin select raise(abort, 'worker_line_fold is append-only: update refused'); end;
create trigger worker_line_fold_no_delete before delete on worker_line_fold begin select raise(abort, 'worker_line_fold is append-only: delete refused'); end;
create trigger conflict_no_update before update on conflict begin select raise(abort, 'conflict is append-only: update refused'); end;
create trigger conflict_no_delete before delete on conflict begin select raise(abort, 'conflict is append-only: delete refused'); end;
create trigger refusal_no_update before update on refusal begin select raise(abort, 'refusal is append-only: update refused'); end;
create trigger refusal_no_delete before delete on refusal begin select raise(abort, 'refusal is append-only: delete refused'); end;
create trigger watermark_no_update before update on watermark begin select raise(abort, 'watermark is append-only: update refused'); end;
create trigger watermark_no_delete before delete on watermark begin select raise(abort, 'watermark is append-only: delete refused'); end;
create trigger watermark_hour_no_update before update on watermark_hour begin select raise(abort, 'watermark_hour is append-only: update refused'); end;
create trigger watermark_hour_no_delete before delete on watermark_hour begin select raise(abort, 'watermark_hour is append-only: delete refused'); end;
create trigger registry_row_no_update before update on registry_row begin select raise(abort, 'registry_row is append-only: update refused'); end;
create trigger registry_row_no_delete before delete on registry_row begin select raise(abort, 'registry_row is append-only: delete refused'); end;
create trigger calendar_entry_no_update before update on calendar_entry begin select raise(abort, 'calendar_entry is append-only: update refused'); end;
create trigger calendar_entry_no_delete before delete on calendar_entry begin select raise(abort, 'calendar_entry is append-only: delete refused'); end;
create trigger total_fold_no_update before update on total_fold begin select raise(abort, 'total_fold is append-only: update refused'); end;
create trigger total_fold_no_delete before delete on total_fold begin select raise(abort, 'total_fold is append-only: delete refused'); end;
create trigger total_no_update before update on total begin select raise(abort, 'total is append-only: update refused'); end;
create trigger total_no_delete before delete on total begin select raise(abort, 'total is append-only: delete refused'); end;
create trigger hour_total_no_update before update on hour_total begin select raise(abort, 'hour_total is append-only: update refused'); end;
create trigger hour_total_no_delete before delete on hour_total begin select raise(abort, 'hour_total is append-only: delete refused'); end;
create trigger run_no_update before update on run begin select raise(abort, 'run is append-only: update refused'); end;
create trigger run_no_delete before delete on run begin select raise(abort, 'run is append-only: delete refused'); end;
create trigger difference_part_no_update before update on difference_part begin select raise(abort, 'difference_part is append-only: update refused'); end;
create trigger difference_part_no_delete before delete on difference_part begin select raise(abort, 'difference_part is append-only: delete refused'); end;
create trigger anomaly_pass_no_update before update on anomaly_pass begin select raise(abort, 'anomaly_pass is append-only: update refused'); end;
create trigger anomaly_pass_no_delete before delete on anomaly_pass begin select raise(abort, 'anomaly_pass is append-only: delete refused'); end;
create trigger anomaly_no_update before update on anomaly begin select raise(abort, 'anomaly is append-only: update refused'); end;
create trigger anomaly_no_delete before delete on anomaly begin select raise(abort, 'anomaly is append-only: delete refused'); end;
create trigger request_no_update before update on request begin select raise(abort, 'request is append-only: update refused'); end;
create trigger request_no_delete before delete on request begin select raise(abort, 'request is append-only: delete refused'); end;
