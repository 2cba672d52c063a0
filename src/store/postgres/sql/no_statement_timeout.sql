-- Purpose: let the statements of this transaction take as long as they take.
-- Locks: none. Rows: one.
select set_config('statement_timeout', '0', true)
