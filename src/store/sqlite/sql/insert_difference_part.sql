-- Purpose: a part (?2) of what a run found (?3), under its journal (?1).
-- Locks: the database's one writer. Rows: one.
insert into difference_part (journal_id, part_no, differences) values (?1, ?2, ?3)
