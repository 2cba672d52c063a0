-- Purpose: be the only session that merges runs in parts, until it ends; or learn that another is. Its statements may take long, and
-- its commits do not wait for the disk: nobody is told of them, and a crash takes the last of them first. A session that does nothing for
-- long is ended: its client may have been stopped.
-- Locks: one advisory lock, never waited for. Rows: one.
select pg_try_advisory_lock(hashtext('premium-ledger'), hashtext('deepen')) as locked,
       set_config('synchronous_commit', 'off', false), set_config('statement_timeout', '10min', false),
       set_config('idle_session_timeout', '60s', false)
