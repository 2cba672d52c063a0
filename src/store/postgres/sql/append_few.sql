-- Purpose: a journal of few lines in one statement, which is its own transaction: its row ($1..$4), its lines ($5.. are
-- parallel arrays) and its run ($31..$33). It waits for its seal from now on. Nothing at all where the lines' periods were decided by another epoch
-- ($34) than the calendar's.
-- Locks: the calendar's, shared: waits for a freeze; waits for another that holds the same slot. Rows: three, and the lines; or none.
with fence as materialized (
    select ledger.calendar_epoch() = $34::integer as holds
), journal as (
    insert into ledger.journal (journal_id, entry_count, encoding_version, root)
    select $1, $2, $3, $4 from fence where holds
    returning journal_id, recorded_at
), unsealed as (
    insert into ledger.unsealed (journal_id) select journal_id from journal
), line as (
    insert into ledger.line (journal_id, line_no, platform_code, order_id, assignment_no, slot, kind, worker_id, industry_code, accept_area,
        accepted_at, ended_at, end_kind, service_agency_code, source_platform_code, source_order_id, sent_at, amount, premium_state,
        premium_reason, province_code, period, service_period, rate_id, registry_revision, corrects_slot, reversal_reason)
    select journal.journal_id, l.*
    from journal cross join unnest($5::integer[], $6::text[], $7::text[], $8::smallint[], $9::smallint[], $10::smallint[], $11::uuid[], $12::text[],
        $13::text[], $14::timestamptz[], $15::timestamptz[], $16::smallint[], $17::text[], $18::text[], $19::text[], $20::timestamptz[],
        $21::numeric[], $22::smallint[], $23::smallint[], $24::text[], $25::integer[], $26::integer[], $27::integer[], $28::integer[],
        $29::smallint[], $30::smallint[]) as l
    returning 1
), run as (
    insert into ledger.worker_run (run_id, level, orders, first_accepted, last_accepted, journals)
    select journal_id, 0, $31, $32, $33, array[journal_id] from journal
)
select recorded_at, (select count(*) from line) as lines from journal
