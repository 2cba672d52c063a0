-- Purpose: make a connection a writer's: its role, durable commits, bounded waits.
-- Locks: none. Rows: none.
select set_config('role', 'premium_ledger_writer', false), set_config('synchronous_commit', $1, false),
       set_config('ledger.tenant', '*', false), set_config('statement_timeout', '30s', false),
       set_config('lock_timeout', '20s', false), set_config('idle_in_transaction_session_timeout', '60s', false)
