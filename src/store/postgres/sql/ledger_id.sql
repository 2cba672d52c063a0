-- Purpose: which ledger this is.
-- Locks: none. Rows: one.
select ledger_id from ledger_read.identity
