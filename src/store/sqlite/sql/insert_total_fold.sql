-- Purpose: a fold (level, number, last seal).
-- Locks: the database's one writer. Rows: one.
insert into total_fold (level, fold_no, seal_no) values (?, ?, ?)
