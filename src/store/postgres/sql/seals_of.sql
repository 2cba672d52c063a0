-- Purpose: the seals of these journals ($1), as far as they have one.
-- Locks: none. Rows: at most one for each.
select journal_id, seal_no from ledger_read.seal where journal_id = any($1)
