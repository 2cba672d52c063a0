-- Purpose: parts of a run.
-- Locks: none that wait. Rows: some thousand.
copy ledger.worker_run_part (run_id, first_worker, first_accepted, part_no, entries) from stdin with (format binary)
