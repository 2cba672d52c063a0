-- Purpose: number a journal (?1) at an instant (?2), in its own transaction, behind its lines.
-- Locks: the database's one writer. Rows: one.
insert into seal (seal_no, journal_id, sealed_at, through_row_no)
select coalesce(max(seal_no), 0) + 1, ?1, max(?2, coalesce((select sealed_at from seal order by seal_no desc limit 1), ?2)),
       (select coalesce(max(row_no), 0) from line)
from seal
