-- Purpose: the last seal; 0 where there is none.
-- Locks: none. Rows: one.
select coalesce((select s.seal_no from ledger_read.seal s order by s.seal_no desc limit 1), 0) as seal_no
