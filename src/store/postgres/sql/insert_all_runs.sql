-- Purpose: a whole run for each journal that has lines.
-- Locks: none that wait. Rows: one for each journal of the snapshot; reads all lines.
insert into ledger.worker_run (run_id, level, orders, first_accepted, last_accepted, journals)
select journal_id, 0, count(distinct (worker_id, accepted_at, platform_code, order_id, assignment_no)), min(accepted_at), max(accepted_at),
       array[journal_id]
from ledger.line
group by journal_id
