-- Purpose: the last seal; 0 where there is none.
-- Locks: none. Rows: one.
select coalesce(max(seal_no), 0) as seal_no from seal
