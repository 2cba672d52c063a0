-- Purpose: all runs, by their ids.
-- Locks: none. Rows: some hundred.
select run_id, level, orders, first_accepted, last_accepted from ledger_read.worker_run order by run_id
