-- The ledger: journals and their entries, append-only, and the counters beside it.
-- Runs as premium_ledger_owner, in schema ledger; the roles and both schemas are there (src/store/postgres/migrate.rs).

create table ledger.identity (
    only_row  boolean not null default true constraint identity_pkey primary key,
    ledger_id bigint  not null,
    constraint identity_one_row check (only_row),
    constraint identity_ledger_id_bits check (ledger_id >= 0 and ledger_id < 1099511627776)
);
comment on table  ledger.identity is 'Tells this ledger from others; one row, made by the first migration.';
comment on column ledger.identity.only_row is 'Always true: keeps the table to one row.';
comment on column ledger.identity.ledger_id is 'Random 40 bits; part of every line id.';
insert into ledger.identity (ledger_id)
values (('x' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 10))::bit(40)::bigint);

create sequence ledger.journal_id_seq as bigint increment by 64 maxvalue 281474976710000;
comment on sequence ledger.journal_id_seq is 'Hands out blocks of 64 journal ids. Ids give no order, and may stay unused.';

create table ledger.journal (
    journal_id       bigint      not null constraint journal_pkey primary key,
    recorded_at      timestamptz not null default clock_timestamp(),
    entry_count      integer     not null,
    encoding_version smallint    not null,
    root             bytea       not null,
    constraint journal_id_bits check (journal_id > 0 and journal_id < 281474976710656),
    constraint journal_entry_count check (entry_count > 0),
    constraint journal_root_length check (octet_length(root) = 32)
);
comment on table  ledger.journal is 'One atomic, durable group of entries: a group commit.';
comment on column ledger.journal.journal_id is '48 bits. Gives no order: the seal will.';
comment on column ledger.journal.recorded_at is 'The database''s clock: when every entry of the journal was received.';
comment on column ledger.journal.entry_count is 'How many entries it holds, of all types.';
comment on column ledger.journal.encoding_version is 'Version of the canonical encoding of its entries (proto/ENCODING.md).';
comment on column ledger.journal.root is 'Merkle root over its entries (RFC 6962, SHA-256).';

create table ledger.seal (
    seal_no    bigint      not null constraint seal_pkey primary key,
    journal_id bigint      not null,
    sealed_at  timestamptz not null,
    constraint seal_journal_key unique (journal_id),
    constraint seal_no_positive check (seal_no > 0)
);
create index seal_at_idx on ledger.seal (sealed_at, seal_no);
comment on table  ledger.seal is 'The order of the journals: gap-free numbers of those that are committed.';
comment on column ledger.seal.seal_no is 'From 1. A journal that was acknowledged before another began has the lower number.';
comment on column ledger.seal.journal_id is 'The journal.';
comment on column ledger.seal.sealed_at is 'When it was numbered, by the database''s clock; never earlier than the number before.';

create table ledger.line (
    journal_id           bigint      not null,
    worker_id            uuid        not null,
    accepted_at          timestamptz not null,
    ended_at             timestamptz,
    sent_at              timestamptz,
    line_no              integer     not null,
    period               integer     not null,
    service_period       integer     not null,
    registry_revision    integer     not null,
    rate_id              integer,
    assignment_no        smallint    not null,
    slot                 smallint    not null,
    kind                 smallint    not null,
    end_kind             smallint,
    premium_state        smallint    not null,
    premium_reason       smallint    not null,
    corrects_slot        smallint,
    reversal_reason      smallint,
    platform_code        text collate "C" not null,
    order_id             text collate "C" not null,
    industry_code        text collate "C" not null,
    accept_area          text collate "C" not null,
    province_code        text collate "C" not null,
    amount               numeric(18, 6),
    service_agency_code  text collate "C",
    source_platform_code text collate "C",
    source_order_id      text collate "C",
    constraint line_slot_key unique (order_id, platform_code, assignment_no, slot),
    constraint line_slot_of_kind check (case slot when 0 then kind = 1 when 1 then kind = 2 else corrects_slot is not null end),
    constraint line_end_whole check ((ended_at is null) = (end_kind is null)),
    constraint line_amount_of_state check ((premium_state = 4) = (amount is not null) or kind > 2)
);
create index line_journal_idx on ledger.line (journal_id);
comment on table  ledger.line is 'Premium lines: what was booked of each order event and correction.';
comment on column ledger.line.journal_id is 'The journal that booked it.';
comment on column ledger.line.line_no is 'Its place in the journal, from 0.';
comment on column ledger.line.worker_id is 'Opaque id of the worker, issued outside.';
comment on column ledger.line.accepted_at is 'When the order was accepted; cover begins.';
comment on column ledger.line.ended_at is 'When the order ended; null: open.';
comment on column ledger.line.sent_at is 'When the platform sent the event; no part of the content.';
comment on column ledger.line.period is 'Month in which it is booked, YYYYMM, Asia/Shanghai.';
comment on column ledger.line.service_period is 'Month that the order belongs to, YYYYMM, Asia/Shanghai.';
comment on column ledger.line.registry_revision is 'Revision of the registry that priced it.';
comment on column ledger.line.rate_id is 'The rate row that priced it; null: none did.';
comment on column ledger.line.assignment_no is '1 unless the order was handed to another worker; at most 99.';
comment on column ledger.line.slot is 'Place within the order key: 0 the OPEN, 1 the first ended event, 2 and up corrections.';
comment on column ledger.line.kind is '1 OPEN, 2 CHARGE, 3 REVERSAL, 4 ADJUSTMENT.';
comment on column ledger.line.end_kind is 'How the order ended (EndKind); null: open.';
comment on column ledger.line.premium_state is '1 OUT_OF_SCOPE, 2 NOT_CHARGED, 3 RATE_PENDING, 4 CHARGED.';
comment on column ledger.line.premium_reason is 'Why it is in that state (PremiumReason).';
comment on column ledger.line.corrects_slot is 'Slot of the line it corrects; null: none.';
comment on column ledger.line.reversal_reason is 'Why it was corrected (ReversalReason); null: no correction.';
comment on column ledger.line.platform_code is 'The platform that took the order.';
comment on column ledger.line.order_id is 'The platform''s id of the order.';
comment on column ledger.line.industry_code is 'Industry of the order.';
comment on column ledger.line.accept_area is 'County code (GB/T 2260) of the place of acceptance.';
comment on column ledger.line.province_code is 'The province that counts for the order.';
comment on column ledger.line.amount is 'Signed premium in yuan, never rounded; null: none due or none known.';
comment on column ledger.line.service_agency_code is 'The agency through which the worker serves; null: none.';
comment on column ledger.line.source_platform_code is 'The platform from which the order came; null: none.';
comment on column ledger.line.source_order_id is 'The order''s id there; null: none.';

create type ledger.line_row as (
    journal_id           bigint,
    line_no              integer,
    platform_code        text,
    order_id             text,
    assignment_no        smallint,
    slot                 smallint,
    kind                 smallint,
    worker_id            uuid,
    industry_code        text,
    accept_area          text,
    accepted_at          timestamptz,
    ended_at             timestamptz,
    end_kind             smallint,
    service_agency_code  text,
    source_platform_code text,
    source_order_id      text,
    sent_at              timestamptz,
    amount               numeric,
    premium_state        smallint,
    premium_reason       smallint,
    province_code        text,
    period               integer,
    service_period       integer,
    rate_id              integer,
    registry_revision    integer,
    corrects_slot        smallint,
    reversal_reason      smallint
);
comment on type ledger.line_row is 'A line on its way into the table: the lines of a small journal come as one array. A column more is another type, beside this one.';

create table ledger.conflict (
    journal_id           bigint      not null,
    line_no              integer     not null,
    platform_code        text collate "C" not null,
    order_id             text collate "C" not null,
    assignment_no        smallint    not null,
    worker_id            uuid        not null,
    industry_code        text collate "C" not null,
    accept_area          text collate "C" not null,
    accepted_at          timestamptz not null,
    ended_at             timestamptz,
    end_kind             smallint,
    service_agency_code  text collate "C",
    source_platform_code text collate "C",
    source_order_id      text collate "C",
    sent_at              timestamptz,
    content_digest       bytea       not null,
    differing            integer     not null,
    compared_journal_id  bigint      not null,
    compared_line_no     integer     not null,
    received_on          date        not null,
    constraint conflict_version_key unique (platform_code, order_id, assignment_no, content_digest)
);
create index conflict_day_idx on ledger.conflict (platform_code, received_on, order_id, assignment_no, content_digest);
create index conflict_worker_idx on ledger.conflict (worker_id, accepted_at);
comment on table  ledger.conflict is 'Versions of orders that differ from the booked one; kept for a human, never booked.';
comment on column ledger.conflict.journal_id is 'The journal that keeps it.';
comment on column ledger.conflict.line_no is 'Its place in the journal.';
comment on column ledger.conflict.platform_code is 'As in ledger.line; so are all columns of the order.';
comment on column ledger.conflict.content_digest is 'SHA-256 of its content (proto/ENCODING.md).';
comment on column ledger.conflict.differing is 'Bit n: the field of Order with number n differs from the line it was compared with.';
comment on column ledger.conflict.compared_journal_id is 'Journal of that line.';
comment on column ledger.conflict.compared_line_no is 'Place of that line.';
comment on column ledger.conflict.received_on is 'Day received, Asia/Shanghai, by the database''s clock.';

create table ledger.refusal (
    journal_id     bigint   not null,
    line_no        integer  not null,
    platform_code  text collate "C" not null,
    payload_digest bytea    not null,
    violation_code smallint not null,
    field          text collate "C" not null,
    payload        bytea    not null,
    payload_size   integer  not null,
    received_on    date     not null,
    constraint refusal_key unique (platform_code, received_on, payload_digest, violation_code),
    constraint refusal_payload_length check (octet_length(payload) <= 2048)
);
comment on table  ledger.refusal is 'Orders that were refused, each distinct one once a day.';
comment on column ledger.refusal.journal_id is 'The journal that keeps it.';
comment on column ledger.refusal.line_no is 'Its place in the journal.';
comment on column ledger.refusal.platform_code is 'The platform; empty: one that the registry does not know.';
comment on column ledger.refusal.payload_digest is 'SHA-256 of the order as received.';
comment on column ledger.refusal.violation_code is 'Code of the first violation (ViolationCode).';
comment on column ledger.refusal.field is 'Path of its field.';
comment on column ledger.refusal.payload is 'The order as received, protobuf; at most its first 2 KiB.';
comment on column ledger.refusal.payload_size is 'Its whole size, bytes.';
comment on column ledger.refusal.received_on is 'Day received, Asia/Shanghai, by the database''s clock.';

create table ledger.watermark (
    journal_id    bigint      not null,
    line_no       integer     not null,
    platform_code text collate "C" not null,
    report_no     bigint      not null,
    watermark     timestamptz not null,
    constraint watermark_pkey primary key (platform_code, report_no)
);
comment on table  ledger.watermark is 'Up to which instant a platform says that it has sent everything. The highest report_no counts.';
comment on column ledger.watermark.journal_id is 'The journal that booked it.';
comment on column ledger.watermark.line_no is 'Its place in the journal.';
comment on column ledger.watermark.platform_code is 'The platform.';
comment on column ledger.watermark.report_no is 'Number among the platform''s reports, from 1, gap-free.';
comment on column ledger.watermark.watermark is 'Complete up to here.';

create table ledger.watermark_hour (
    platform_code text collate "C" not null,
    report_no     bigint      not null,
    hour          timestamptz not null,
    accepted      bigint      not null,
    ended         bigint      not null,
    constraint watermark_hour_pkey primary key (platform_code, hour, report_no)
);
comment on table  ledger.watermark_hour is 'A platform''s own counts, with a watermark report. Of an hour the highest report_no counts.';
comment on column ledger.watermark_hour.platform_code is 'The platform.';
comment on column ledger.watermark_hour.report_no is 'The report.';
comment on column ledger.watermark_hour.hour is 'Begin of the hour.';
comment on column ledger.watermark_hour.accepted is 'Orders accepted in it.';
comment on column ledger.watermark_hour.ended is 'Orders ended in it.';

create table ledger.registry_row (
    row_id        integer  not null constraint registry_row_pkey primary key,
    journal_id    bigint   not null,
    line_no       integer  not null,
    kind          smallint not null,
    name          text collate "C" not null,
    platform_code text collate "C" not null,
    province_code text collate "C" not null,
    industry_code text collate "C" not null,
    value         text collate "C" not null,
    base          numeric(18, 6),
    factor        numeric(12, 6),
    valid_from    date     not null,
    valid_to      date,
    document      text collate "C" not null,
    confidence    text collate "C" not null,
    supersedes    integer,
    constraint registry_row_supersedes_key unique (supersedes),
    constraint registry_row_kind check (kind between 1 and 6)
);
create unique index registry_row_key on ledger.registry_row
    (kind, (case kind when 6 then name else '' end), platform_code, province_code, industry_code, valid_from)
    where supersedes is null;
comment on table  ledger.registry_row is 'Industries, provinces, platforms, scopes, rates and rules: dated rows, each ordered by a document.';
comment on column ledger.registry_row.row_id is 'From 1, gap-free; the newest is the registry''s revision.';
comment on column ledger.registry_row.journal_id is 'The journal that booked it.';
comment on column ledger.registry_row.line_no is 'Its place in the journal.';
comment on column ledger.registry_row.kind is '1 industry, 2 province, 3 platform, 4 scope, 5 rate, 6 rule.';
comment on column ledger.registry_row.name is 'Name of an industry, province or platform; of a rule the rule''s name.';
comment on column ledger.registry_row.platform_code is 'A platform, * for any, empty where it is no part of the key.';
comment on column ledger.registry_row.province_code is 'A province, * for any, empty where it is no part of the key.';
comment on column ledger.registry_row.industry_code is 'An industry, * for any (rules), empty where it is no part of the key.';
comment on column ledger.registry_row.value is 'Value of a rule; unified social credit code of a platform.';
comment on column ledger.registry_row.base is 'Of a rate: yuan an order.';
comment on column ledger.registry_row.factor is 'Of a rate: the floating factor.';
comment on column ledger.registry_row.valid_from is 'First day it holds, Asia/Shanghai.';
comment on column ledger.registry_row.valid_to is 'First day it no longer holds; null: open.';
comment on column ledger.registry_row.document is 'Number of the document that ordered it.';
comment on column ledger.registry_row.confidence is 'law, press, open or empty.';
comment on column ledger.registry_row.supersedes is 'The row it takes the place of; null: none.';

create table ledger.calendar_entry (
    epoch         integer  not null constraint calendar_entry_pkey primary key,
    journal_id    bigint   not null,
    line_no       integer  not null,
    step          smallint not null,
    platform_code text collate "C" not null,
    province_code text collate "C" not null,
    period        integer  not null,
    amount        numeric(18, 6),
    document      text collate "C" not null,
    dated_on      date,
    constraint calendar_entry_step check (step between 1 and 3),
    constraint calendar_entry_whole check ((step = 1) = (amount is null) and (step = 1) = (dated_on is null))
);
comment on table  ledger.calendar_entry is 'Months of a platform and province: frozen, declared, paid.';
comment on column ledger.calendar_entry.epoch is 'From 1, gap-free; the newest is the calendar''s epoch.';
comment on column ledger.calendar_entry.journal_id is 'The journal that booked it.';
comment on column ledger.calendar_entry.line_no is 'Its place in the journal.';
comment on column ledger.calendar_entry.step is '1 FREEZE, 2 DECLARATION, 3 PAYMENT.';
comment on column ledger.calendar_entry.platform_code is 'The platform.';
comment on column ledger.calendar_entry.province_code is 'The province.';
comment on column ledger.calendar_entry.period is 'The month, YYYYMM, Asia/Shanghai.';
comment on column ledger.calendar_entry.amount is 'What was declared or paid, yuan; null: a freeze.';
comment on column ledger.calendar_entry.document is 'Number of the declaration or of the tax receipt; empty: a freeze.';
comment on column ledger.calendar_entry.dated_on is 'Day of the declaration or payment; null: a freeze.';
create index calendar_freeze_idx on ledger.calendar_entry (epoch) where step = 1;

-- The fence (DESIGN §5). In a function, for both its statements have snapshots of their own: the calendar is read as it is once the lock is
-- held, and that in the same round trip as the journal's own row.
create function ledger.calendar_epoch() returns integer language plpgsql volatile as $$
declare
    newest integer;
begin
    perform pg_advisory_xact_lock_shared(hashtext('premium-ledger'), hashtext('calendar'));
    select coalesce(max(epoch), 0) into strict newest from ledger.calendar_entry where step = 1;
    return newest;
end
$$;
comment on function ledger.calendar_epoch() is 'Epoch of the newest freeze, which stays the newest until the transaction ends.';

create table ledger.total_fold (
    level   smallint not null,
    fold_no integer  not null,
    seal_no bigint   not null,
    constraint total_fold_pkey primary key (level, fold_no),
    constraint total_fold_seal_key unique (level, seal_no)
);
comment on table  ledger.total_fold is 'Stretches of journals whose lines are summed up in ledger.total.';
comment on column ledger.total_fold.level is '0: of journals. n: of eight folds of level n - 1.';
comment on column ledger.total_fold.fold_no is 'From 0 within its level, gap-free; fold n of a level holds folds 8n to 8n+7 of the one below.';
comment on column ledger.total_fold.seal_no is 'Last seal in it; its first follows the last of the fold before.';

create table ledger.total (
    level             smallint not null,
    fold_no           integer  not null,
    platform_code     text collate "C" not null,
    period            integer  not null,
    province_code     text collate "C" not null,
    industry_code     text collate "C" not null,
    service_period    integer  not null,
    kind              smallint not null,
    premium_state     smallint not null,
    end_kind          smallint,
    rate_id           integer,
    registry_revision integer  not null,
    lines             bigint   not null,
    amount            numeric(24, 6) not null,
    standing          bigint   not null
);
create index total_idx on ledger.total (level, fold_no, platform_code, period, province_code, industry_code);
comment on table  ledger.total is 'Sums over the lines of a fold, by what statements tell apart.';
comment on column ledger.total.level is 'The fold''s level.';
comment on column ledger.total.fold_no is 'The fold.';
comment on column ledger.total.platform_code is 'As in ledger.line; so are all columns before the sums.';
comment on column ledger.total.lines is 'How many lines.';
comment on column ledger.total.amount is 'Sum of their amounts.';
comment on column ledger.total.standing is 'By how much the number of order keys grew of which such a line stands.';

create table ledger.hour_total (
    level         smallint    not null,
    fold_no       integer     not null,
    platform_code text collate "C" not null,
    hour          timestamptz not null,
    accepted      bigint      not null,
    ended         bigint      not null,
    constraint hour_total_pkey primary key (level, fold_no, platform_code, hour)
);
comment on table  ledger.hour_total is 'Order keys that the lines of a fold told first, by hour: compared with the platforms'' own counts.';
comment on column ledger.hour_total.level is 'The fold''s level.';
comment on column ledger.hour_total.fold_no is 'The fold.';
comment on column ledger.hour_total.platform_code is 'As in ledger.line.';
comment on column ledger.hour_total.hour is 'Begin of the hour.';
comment on column ledger.hour_total.accepted is 'By how much the number of keys grew that were accepted in it.';
comment on column ledger.hour_total.ended is 'By how much the number of keys grew that ended in it.';

create table ledger.run (
    run_no            integer  not null constraint run_pkey primary key,
    journal_id        bigint   not null,
    line_no           integer  not null,
    kind              smallint not null,
    registry_revision integer  not null,
    seal_no           bigint   not null,
    asked             text collate "C" not null,
    outcome           text collate "C" not null,
    constraint run_kind check (kind between 1 and 2)
);
comment on table  ledger.run is 'Long pieces of work, as they were begun (RepriceOrders) or done (Reconcile).';
comment on column ledger.run.run_no is 'From 1, gap-free.';
comment on column ledger.run.journal_id is 'The journal that booked it.';
comment on column ledger.run.line_no is 'Its place in the journal.';
comment on column ledger.run.kind is '1 RepriceOrders, 2 Reconcile.';
comment on column ledger.run.registry_revision is 'Revision of the registry that it works by.';
comment on column ledger.run.seal_no is 'The newest seal when it was begun.';
comment on column ledger.run.asked is 'What was asked.';
comment on column ledger.run.outcome is 'What was found; empty where that is not known when it begins.';

create table ledger.difference_part (
    journal_id  bigint  not null,
    part_no     integer not null,
    differences text    not null,
    constraint difference_part_pkey primary key (journal_id, part_no)
);
comment on table  ledger.difference_part is 'What runs of Reconcile found. The run''s outcome holds the digest of all its parts. Parts of a journal that was never written are of a run that did not end.';
comment on column ledger.difference_part.journal_id is 'The journal of the run.';
comment on column ledger.difference_part.part_no is 'From 0, gap-free.';
comment on column ledger.difference_part.differences is 'NDJSON, at most 1,000 lines.';

create table ledger.anomaly_pass (
    pass_no   integer not null constraint anomaly_pass_pkey primary key,
    seal_no   bigint  not null,
    passed_on date    not null
);
comment on table  ledger.anomaly_pass is 'How far journals were looked through for doubtful orders.';
comment on column ledger.anomaly_pass.pass_no is 'From 1, gap-free.';
comment on column ledger.anomaly_pass.seal_no is 'All journals up to this seal were.';
comment on column ledger.anomaly_pass.passed_on is 'Day, Asia/Shanghai.';

create table ledger.anomaly (
    platform_code       text collate "C" not null,
    found_on            date     not null,
    kind                smallint not null,
    order_id            text collate "C" not null,
    assignment_no       smallint not null,
    other_platform_code text collate "C" not null,
    other_order_id      text collate "C" not null,
    other_assignment_no smallint not null,
    constraint anomaly_pkey primary key (platform_code, found_on, kind, order_id, assignment_no, other_platform_code, other_order_id, other_assignment_no),
    constraint anomaly_kind check (kind in (1, 3, 4))
);
comment on table  ledger.anomaly is 'Doubtful orders, as they were found. Reused order ids are found among the conflicts.';
comment on column ledger.anomaly.platform_code is 'As in ledger.line; so are order_id and assignment_no.';
comment on column ledger.anomaly.found_on is 'Day, Asia/Shanghai.';
comment on column ledger.anomaly.kind is '1 DUPLICATE_TRIP, 3 TWO_COMPLETED_ASSIGNMENTS, 4 OPEN_OVERDUE.';
comment on column ledger.anomaly.order_id is 'The order.';
comment on column ledger.anomaly.assignment_no is 'Its assignment.';
comment on column ledger.anomaly.other_platform_code is 'The order that it meets; empty: none.';
comment on column ledger.anomaly.other_order_id is 'Its id.';
comment on column ledger.anomaly.other_assignment_no is 'Its assignment; 0: none.';

create table ledger.request (
    request_id text collate "C" not null constraint request_pkey primary key,
    call       smallint not null,
    digest     bytea    not null,
    journal_id bigint   not null
);
comment on table  ledger.request is 'Request ids that were used, for ever: the same id and content gets the first answer again.';
comment on column ledger.request.request_id is 'As the caller gave it.';
comment on column ledger.request.call is '1 ReverseOrder, 2 CorrectOrder, 3 ReportWatermark, 4 a put of the registry, 5 FreezePeriod, 6 RecordDeclaration, 7 RecordPayment, 8 RepriceOrders, 9 Reconcile.';
comment on column ledger.request.digest is 'SHA-256 of what was asked.';
comment on column ledger.request.journal_id is 'The journal that the answer stands in.';

-- Ordinary counters, outside the ledger.

create table ledger.refusal_repeat (
    platform_code  text collate "C" not null,
    received_on    date     not null,
    payload_digest bytea    not null,
    violation_code smallint not null,
    repeats        bigint   not null,
    constraint refusal_repeat_pkey primary key (platform_code, received_on, payload_digest, violation_code)
);
comment on table  ledger.refusal_repeat is 'How often a kept refusal came again. A counter, outside the ledger.';
comment on column ledger.refusal_repeat.platform_code is 'As in ledger.refusal; so are the next three.';
comment on column ledger.refusal_repeat.received_on is 'As in ledger.refusal.';
comment on column ledger.refusal_repeat.payload_digest is 'As in ledger.refusal.';
comment on column ledger.refusal_repeat.violation_code is 'As in ledger.refusal.';
comment on column ledger.refusal_repeat.repeats is 'Beyond the first.';

create table ledger.conflict_repeat (
    platform_code  text collate "C" not null,
    order_id       text collate "C" not null,
    assignment_no  smallint not null,
    content_digest bytea    not null,
    repeats        bigint   not null,
    constraint conflict_repeat_pkey primary key (platform_code, order_id, assignment_no, content_digest)
);
comment on table  ledger.conflict_repeat is 'How often a kept conflict came again. A counter, outside the ledger.';
comment on column ledger.conflict_repeat.platform_code is 'As in ledger.conflict; so are the next three.';
comment on column ledger.conflict_repeat.order_id is 'As in ledger.conflict.';
comment on column ledger.conflict_repeat.assignment_no is 'As in ledger.conflict.';
comment on column ledger.conflict_repeat.content_digest is 'As in ledger.conflict.';
comment on column ledger.conflict_repeat.repeats is 'Beyond the first.';

create table ledger.past_limit (
    platform_code text collate "C" not null,
    received_on   date     not null,
    entry_type    smallint not null,
    arrivals      bigint   not null,
    constraint past_limit_pkey primary key (platform_code, received_on, entry_type)
);
comment on table  ledger.past_limit is 'What came past the 10,000 distinct ones kept of a platform and day. A counter, outside the ledger.';
comment on column ledger.past_limit.platform_code is 'The platform; empty: one that the registry does not know.';
comment on column ledger.past_limit.received_on is 'Day received, Asia/Shanghai.';
comment on column ledger.past_limit.entry_type is 'Type of the entry that was not kept: 2 CONFLICT, 3 REFUSAL.';
comment on column ledger.past_limit.arrivals is 'How many came.';

-- Journals that wait for their seal, outside the ledger: each comes with its journal and goes with its seal.

create sequence ledger.arrival_no_seq as bigint;
comment on sequence ledger.arrival_no_seq is 'Numbers journals as their transactions begin: what was acknowledged before another began has the lower one.';
create table ledger.unsealed (
    arrival_no bigint not null default nextval('ledger.arrival_no_seq') constraint unsealed_pkey primary key,
    journal_id bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
comment on table  ledger.unsealed is 'Committed journals without a seal.';
comment on column ledger.unsealed.arrival_no is 'In this order they are sealed.';
comment on column ledger.unsealed.journal_id is 'The journal.';

-- The index by worker, outside the ledger: derived from the lines (src/store/run.rs).

create table ledger.worker_run (
    run_id         bigint      not null constraint worker_run_pkey primary key,
    level          smallint    not null,
    orders         bigint      not null,
    first_accepted timestamptz not null,
    last_accepted  timestamptz not null,
    journals       bigint[],
    constraint worker_run_whole check ((level = 0) = (journals is not null))
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
comment on table  ledger.worker_run is 'Runs: orders sorted by worker and acceptance. Every line is in exactly one; short ones are merged, and go.';
comment on column ledger.worker_run.run_id is 'Id of the journal that brought it, or an id that no journal has.';
comment on column ledger.worker_run.level is '0: held in memory, made from the lines of journals. 1 and up: in parts; how often it was merged.';
comment on column ledger.worker_run.orders is 'How many orders.';
comment on column ledger.worker_run.first_accepted is 'Their earliest acceptance.';
comment on column ledger.worker_run.last_accepted is 'Their latest acceptance.';
comment on column ledger.worker_run.journals is 'The journals whose lines it is made from; null: in parts.';

create table ledger.worker_run_part (
    run_id         bigint      not null,
    first_worker   uuid        not null,
    first_accepted timestamptz not null,
    part_no        integer     not null,
    entries        bytea       not null,
    constraint worker_run_part_pkey primary key (run_id, first_worker, first_accepted, part_no)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100000);
alter table ledger.worker_run_part alter column entries set storage plain;
comment on table  ledger.worker_run_part is 'Parts of runs, each a few neighbouring records.';
comment on column ledger.worker_run_part.run_id is 'The run.';
comment on column ledger.worker_run_part.first_worker is 'Worker of its first record.';
comment on column ledger.worker_run_part.first_accepted is 'Acceptance of its first record.';
comment on column ledger.worker_run_part.part_no is 'Its place in the run, from 0.';
comment on column ledger.worker_run_part.entries is 'The records (src/store/run.rs).';

-- Guards. The grants alone keep the ledger append-only; the triggers stand behind them.

create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'ledger.% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'integrity_constraint_violation';
end
$$;
comment on function ledger.refuse_change() is 'Raises: ledger tables are append-only.';

do $$
declare
    name text;
begin
    foreach name in array array['identity', 'journal', 'seal', 'line', 'conflict', 'refusal', 'watermark', 'watermark_hour',
                                'registry_row', 'calendar_entry', 'total_fold', 'total', 'hour_total', 'run', 'difference_part', 'anomaly_pass', 'anomaly', 'request'] loop
        execute format('create trigger %I before update or delete or truncate on ledger.%I
                        for each statement execute function ledger.refuse_change()', name || '_append_only', name);
        execute format('alter table ledger.%I enable always trigger %I', name, name || '_append_only');
        execute format('grant select, insert on ledger.%I to premium_ledger_writer', name);
    end loop;
end
$$;
revoke insert on ledger.identity from premium_ledger_writer;
grant select, insert, update on ledger.refusal_repeat, ledger.conflict_repeat, ledger.past_limit to premium_ledger_writer;
grant select, insert, delete on ledger.unsealed, ledger.worker_run, ledger.worker_run_part to premium_ledger_writer;
grant usage on sequence ledger.journal_id_seq, ledger.arrival_no_seq to premium_ledger_writer;
grant usage on schema ledger to premium_ledger_writer;
-- The migrator's own table, in this schema too: read at start to see that the schema is of the program's version.
grant select on ledger._sqlx_migrations to premium_ledger_writer;

-- Questions read views that filter by the transaction setting ledger.tenant: a platform code, or * for all; unset: no row.

create view ledger_read.line with (security_barrier) as
select l.*, j.recorded_at
from ledger.line l
join ledger.journal j using (journal_id)
where l.platform_code = (select current_setting('ledger.tenant', true))
   or '*' = (select current_setting('ledger.tenant', true));

-- What the index by worker is made from: the same rows without their journals' times.
create view ledger_read.line_of_journal with (security_barrier) as
select journal_id, worker_id, accepted_at, platform_code, order_id, assignment_no
from ledger.line
where platform_code = (select current_setting('ledger.tenant', true))
   or '*' = (select current_setting('ledger.tenant', true));

create view ledger_read.conflict with (security_barrier) as
select c.*, j.recorded_at, coalesce(r.repeats, 0) as repeats
from ledger.conflict c
join ledger.journal j using (journal_id)
left join ledger.conflict_repeat r using (platform_code, order_id, assignment_no, content_digest)
where c.platform_code = (select current_setting('ledger.tenant', true))
   or '*' = (select current_setting('ledger.tenant', true));

create view ledger_read.refusal with (security_barrier) as
select f.*, j.recorded_at, coalesce(r.repeats, 0) as repeats
from ledger.refusal f
join ledger.journal j using (journal_id)
left join ledger.refusal_repeat r using (platform_code, received_on, payload_digest, violation_code)
where f.platform_code = (select nullif(current_setting('ledger.tenant', true), ''))
   or '*' = (select current_setting('ledger.tenant', true));

create view ledger_read.past_limit with (security_barrier) as
select * from ledger.past_limit
where platform_code = (select nullif(current_setting('ledger.tenant', true), ''))
   or '*' = (select current_setting('ledger.tenant', true));

create view ledger_read.watermark with (security_barrier) as
select w.*, j.recorded_at
from ledger.watermark w
join ledger.journal j using (journal_id)
where w.platform_code = (select current_setting('ledger.tenant', true))
   or '*' = (select current_setting('ledger.tenant', true));

-- The newest report of each platform. A view of its own: a question cannot ask a barrier view for the newest without reading all. Platforms are
-- found by stepping through the key.
create view ledger_read.newest_watermark with (security_barrier) as
with recursive platform (platform_code) as (
    (select platform_code from ledger.watermark order by platform_code limit 1)
    union all
    select (select w.platform_code from ledger.watermark w where w.platform_code > p.platform_code order by w.platform_code limit 1)
    from platform p
    where p.platform_code is not null
)
select w.*, j.recorded_at
from platform p
cross join lateral (select * from ledger.watermark v where v.platform_code = p.platform_code order by v.report_no desc limit 1) as w
join ledger.journal j using (journal_id)
where w.platform_code = (select current_setting('ledger.tenant', true))
   or '*' = (select current_setting('ledger.tenant', true));

-- Runs name orders of every platform: all or nothing. No barriers: there is no row to look behind, and they would read a run whole.
create view ledger_read.worker_run as
select * from ledger.worker_run where '*' = (select current_setting('ledger.tenant', true));
create view ledger_read.worker_run_part as
select * from ledger.worker_run_part where '*' = (select current_setting('ledger.tenant', true));

-- What totals are made from, lines of every platform: all or nothing, for the same reason; a barrier could not be joined by key.
create view ledger_read.line_of_all as
select * from ledger.line where '*' = (select current_setting('ledger.tenant', true));

-- The registry is public: scopes, rates and rules are the same for everybody.
create view ledger_read.registry_row with (security_barrier) as select * from ledger.registry_row;
create view ledger_read.calendar_entry with (security_barrier) as
select * from ledger.calendar_entry
where platform_code = (select current_setting('ledger.tenant', true))
   or '*' = (select current_setting('ledger.tenant', true));
create view ledger_read.total with (security_barrier) as
select * from ledger.total
where platform_code = (select current_setting('ledger.tenant', true))
   or '*' = (select current_setting('ledger.tenant', true));
create view ledger_read.hour_total with (security_barrier) as
select * from ledger.hour_total
where platform_code = (select current_setting('ledger.tenant', true))
   or '*' = (select current_setting('ledger.tenant', true));
-- Of each hour the newest count.
create view ledger_read.newest_hour with (security_barrier) as
select distinct on (platform_code, hour) *
from ledger.watermark_hour
where platform_code = (select current_setting('ledger.tenant', true))
   or '*' = (select current_setting('ledger.tenant', true))
order by platform_code, hour, report_no desc;
create view ledger_read.run with (security_barrier) as
select * from ledger.run where '*' = (select current_setting('ledger.tenant', true));
create view ledger_read.difference_part with (security_barrier) as
select * from ledger.difference_part where '*' = (select current_setting('ledger.tenant', true));
create view ledger_read.anomaly with (security_barrier) as
select * from ledger.anomaly
where platform_code = (select current_setting('ledger.tenant', true))
   or '*' = (select current_setting('ledger.tenant', true));
create view ledger_read.anomaly_pass as select * from ledger.anomaly_pass;
-- Journals, seals and folds say nothing of any platform: no filter, hence no barrier.
create view ledger_read.total_fold as select * from ledger.total_fold;
create view ledger_read.journal as select journal_id, recorded_at, entry_count from ledger.journal;
create view ledger_read.seal as select * from ledger.seal;
create view ledger_read.identity with (security_barrier) as select ledger_id from ledger.identity;

grant usage on schema ledger_read to premium_ledger_reader, premium_ledger_writer;
grant select on all tables in schema ledger_read to premium_ledger_reader, premium_ledger_writer;
