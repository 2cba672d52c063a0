-- Purpose: platforms with a line of a worker ($1) accepted in a range ($2, $3).
-- Locks: none. Rows: a few.
select distinct platform_code from ledger_read.line where worker_id = $1 and accepted_at between $2 and $3
