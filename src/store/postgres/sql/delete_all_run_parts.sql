-- Purpose: drop the parts of all runs, to make them anew.
-- Locks: row locks on them; only he who holds both locks of merging takes them. Rows: all.
delete from ledger.worker_run_part
