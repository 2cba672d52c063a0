-- Purpose: let no journal with lines be under way until the transaction ends.
-- Locks: the calendar's: waits for every journal under way, and lets new ones wait. Rows: one.
select set_config('lock_timeout', $1, true), pg_advisory_xact_lock(hashtext('premium-ledger'), hashtext('calendar'))
