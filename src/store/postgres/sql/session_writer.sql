-- Purpose: make a connection a writer's: its role, durable commits, bounded waits, and plans by index whatever the statistics say: a plan
-- made while a table was small must not scan it when it has grown. It is made once for each statement: to plan a question anew costs more than
-- to answer it. No bitmap scans: they would read all reports of a platform to find the newest. One core, as session_reader.
-- Locks: none. Rows: none.
select set_config('role', 'premium_ledger_writer', false), set_config('synchronous_commit', $1, false),
       set_config('ledger.tenant', '*', false), set_config('statement_timeout', '30s', false),
       set_config('default_transaction_isolation', 'read committed', false),
       set_config('lock_timeout', '20s', false), set_config('idle_in_transaction_session_timeout', '60s', false),
       set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),
       set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '60000', false),
       set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false), set_config('enable_bitmapscan', 'off', false), set_config('jit', 'off', false),
       set_config('max_parallel_workers_per_gather', '0', false), set_config('plan_cache_mode', 'force_generic_plan', false)
