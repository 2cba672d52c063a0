-- Purpose: whether a journal whose commit was not answered is there.
-- Locks: none. Rows: at most one.
select recorded_at from ledger.journal where journal_id = $1 and root = $2
