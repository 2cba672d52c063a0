-- Purpose: the parts of a run ($1) that has no row.
-- Locks: row locks on them; only he who holds the lock of deepening takes them. Rows: all parts of the run.
delete from ledger.worker_run_part where run_id = $1
