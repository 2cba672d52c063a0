-- Purpose: the settings on which durability rests, as this connection has them.
-- Locks: none. Rows: three.
select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit') order by name
