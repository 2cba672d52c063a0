-- Purpose: the journal's own row, first in its transaction, so that a journal written twice is found before any entry is; and, where it has
-- lines ($5 is not null), its run of the index by worker. It waits for its seal from now on.
-- Locks: none that wait, unless another transaction holds the same id. Rows: two, or three.
with unsealed as (
    insert into ledger.unsealed (journal_id) values ($1)
), run as (
    insert into ledger.worker_run (run_id, level, orders, first_accepted, last_accepted, journals)
    select $1::bigint, 0, $5::bigint, $6, $7, array[$1::bigint] where $5::bigint is not null
)
insert into ledger.journal (journal_id, entry_count, encoding_version, root)
values ($1, $2, $3, $4)
returning recorded_at
