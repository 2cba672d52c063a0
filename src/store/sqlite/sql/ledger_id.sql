-- Purpose: which ledger this is.
-- Locks: none. Rows: one.
select ledger_id from identity
