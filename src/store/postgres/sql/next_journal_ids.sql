-- Purpose: take the next block of 64 journal ids.
-- Locks: none that wait. Rows: one.
select nextval('ledger.journal_id_seq') as first_id
