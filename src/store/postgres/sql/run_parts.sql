-- Purpose: the next parts of a run ($1) after one ($2, $3, $4), at most $5.
-- Locks: none. Rows: at most $5.
select first_worker, first_accepted, part_no, entries
from ledger.worker_run_part
where run_id = $1 and (first_worker, first_accepted, part_no) > ($2, $3, $4)
order by first_worker, first_accepted, part_no
limit $5
