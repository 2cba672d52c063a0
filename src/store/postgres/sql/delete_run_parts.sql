-- Purpose: take away parts of a run ($1) that has no row, at most $2.
-- Locks: row locks on them; only he who holds the lock of deepening takes them. Rows: at most $2.
delete from ledger.worker_run_part
where ctid = any (array(select ctid from ledger.worker_run_part where run_id = $1 limit $2))
  and not exists (select from ledger.worker_run where run_id = $1)
