-- Purpose: a merged run; $6: the journals of a whole one; null: it is in parts.
-- Locks: none that wait. Rows: one.
insert into ledger.worker_run (run_id, level, orders, first_accepted, last_accepted, journals) values ($1, $2, $3, $4, $5, $6)
