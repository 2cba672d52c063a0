-- Purpose: the newest run, or the one that a journal ($1) began.
-- Locks: none. Rows: one or none.
select * from ledger_read.run where $1::bigint is null or journal_id = $1 order by run_no desc limit 1
