-- Purpose: the journal's own row, first in its transaction, so that a journal written twice is found before any entry is; and, where it has
-- lines ($5 is not null), its run of the index by worker. It waits for its seal from now on. Nothing at all where it has lines whose periods were
-- decided by another epoch ($8) than the calendar's.
-- Locks: the calendar's, shared, where it has lines: waits for a freeze under way. Rows: two, or three; or none.
with fence as materialized (
    select case when $8::integer is null then true else ledger.calendar_epoch() = $8 end as holds
), journal as (
    insert into ledger.journal (journal_id, entry_count, encoding_version, root)
    select $1, $2, $3, $4 from fence where holds
    returning journal_id, recorded_at
), unsealed as (
    insert into ledger.unsealed (journal_id) select journal_id from journal
), run as (
    insert into ledger.worker_run (run_id, level, orders, first_accepted, last_accepted, journals)
    select journal_id, 0, $5::bigint, $6, $7, array[journal_id] from journal where $5::bigint is not null
)
select recorded_at from journal
