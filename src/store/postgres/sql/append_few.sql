-- Purpose: a journal of few lines in one statement, which is its own transaction: its row ($1..$4), its lines
-- ($5) and its run ($6..$8). It waits for its seal from now on. Nothing at all where the lines' periods were decided by another epoch
-- ($9) than the calendar's. One array of rows, not one for each column: 27 take four times as long to read.
-- Locks: the calendar's, shared: waits for a freeze; waits for another that holds the same slot. Rows: three, and the lines; or none.
with fence as materialized (
    select ledger.calendar_epoch() = $9::integer as holds
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
    select l.* from journal cross join unnest($5::ledger.line_row[]) as l
    returning 1
), run as (
    insert into ledger.worker_run (run_id, level, orders, first_accepted, last_accepted, journals)
    select journal_id, 0, $6, $7, $8, array[journal_id] from journal
)
select recorded_at, (select count(*) from line) as lines from journal
