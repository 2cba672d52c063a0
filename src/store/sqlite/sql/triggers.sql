-- Purpose: which triggers stand, with their text.
-- Locks: none. Rows: two for each ledger table.
select name, sql from sqlite_schema where type = 'trigger' order by name
