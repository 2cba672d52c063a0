-- Purpose: be the only one who does a kind of merge ($1), until the transaction ends; or learn that somebody else is.
-- Locks: one advisory lock, never waited for. Rows: one.
select pg_try_advisory_xact_lock(hashtext('premium-ledger'), hashtext($1)) as locked
