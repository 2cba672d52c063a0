-- Purpose: whether it is this transaction's turn to fold.
-- Locks: one advisory lock, never waited for. Rows: one.
select pg_try_advisory_xact_lock(hashtext('premium-ledger'), hashtext('total')) as mine
