-- Purpose: runs ($1) that another one holds now.
-- Locks: row locks on them; only he who holds the fold's lock takes them. Rows: those asked.
delete from ledger.worker_run where run_id = any($1)
