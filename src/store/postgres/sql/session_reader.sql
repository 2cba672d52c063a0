-- Purpose: make a connection a reader's: its role, no writing, every tenant until callers have an identity, bounded waits,
-- and plans by index, made once (as session_writer). One question takes one core: folds and sums must not take all of them from the intake.
-- Locks: none. Rows: none.
select set_config('role', 'premium_ledger_reader', false), set_config('default_transaction_read_only', 'on', false),
       set_config('ledger.tenant', '*', false), set_config('statement_timeout', '30s', false),
       set_config('default_transaction_isolation', 'read committed', false),
       set_config('idle_in_transaction_session_timeout', '60s', false),
       set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),
       set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '60000', false),
       set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false), set_config('enable_bitmapscan', 'off', false), set_config('jit', 'off', false),
       set_config('max_parallel_workers_per_gather', '0', false), set_config('plan_cache_mode', 'force_generic_plan', false)
