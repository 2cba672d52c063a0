-- Purpose: wait until no seals are being written, and let none be until the transaction ends.
-- Locks: the sealer's advisory lock, shared; a sealing takes some milliseconds. Rows: one.
select pg_advisory_xact_lock_shared(hashtext('premium-ledger'), hashtext('seal'))
