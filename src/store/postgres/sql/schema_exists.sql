-- Purpose: the ledger's schema is there.
-- Locks: none. Rows: one.
select to_regclass('ledger._sqlx_migrations') is not null as present
