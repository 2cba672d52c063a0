-- Purpose: platforms with a line of a worker accepted in a range.
-- Locks: none. Rows: a few.
select distinct platform_code from line where worker_id = ? and accepted_at between ? and ?
