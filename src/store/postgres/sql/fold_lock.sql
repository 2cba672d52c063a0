-- Purpose: be the only one who merges runs, until the transaction ends; or learn that somebody else is.
-- Locks: one advisory lock, never waited for. Rows: one.
select pg_try_advisory_xact_lock(hashtext('premium-ledger'), hashtext('fold')) as locked
