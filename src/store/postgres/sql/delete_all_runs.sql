-- Purpose: drop all runs, to make them anew.
-- Locks: row locks on them; only he who holds both locks of merging takes them. Rows: all of the snapshot.
delete from ledger.worker_run
