-- Purpose: the last seal given by an instant (?1); 0 where there was none.
-- Locks: none. Rows: one.
select coalesce((select seal_no from seal where sealed_at <= ?1 order by sealed_at desc, seal_no desc limit 1), 0) as seal_no
