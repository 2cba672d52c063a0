-- Purpose: the last fold of journals that ends by a seal ($1).
-- Locks: none. Rows: one or none.
select fold_no, seal_no from ledger_read.total_fold where level = 0 and seal_no <= $1 order by seal_no desc limit 1
