-- Purpose: a fold ($1 level, $2 number, $3 last seal).
-- Locks: waits for another transaction that makes the same. Rows: one.
insert into ledger.total_fold (level, fold_no, seal_no) values ($1, $2, $3)
