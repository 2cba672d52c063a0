-- Purpose: make a connection a writer's: its role, durable commits, bounded waits, and plans by index whatever the statistics say: a plan
-- made while a table was small must not scan it when it has grown.
-- Locks: none. Rows: none.
select set_config('role', 'premium_ledger_writer', false), set_config('synchronous_commit', $1, false),
       set_config('ledger.tenant', '*', false), set_config('statement_timeout', '30s', false),
       set_config('lock_timeout', '20s', false), set_config('idle_in_transaction_session_timeout', '60s', false),
       set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false), set_config('jit', 'off', false)
