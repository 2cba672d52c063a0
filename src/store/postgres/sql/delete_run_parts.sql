-- Purpose: the parts of a run ($1) that another one holds now.
-- Locks: row locks on them; only he who holds the fold's lock takes them. Rows: all parts of the run.
delete from ledger.worker_run_part where run_id = $1
