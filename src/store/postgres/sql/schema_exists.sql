-- Purpose: a ledger was made here; asked of the catalog, which every login may read.
-- Locks: none. Rows: one.
select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname = 'ledger' and c.relname = '_sqlx_migrations') as present
