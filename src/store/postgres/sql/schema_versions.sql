-- Purpose: which migrations ran.
-- Locks: none. Rows: one for each.
select version, description from ledger._sqlx_migrations where success order by version
