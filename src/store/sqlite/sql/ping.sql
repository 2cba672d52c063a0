-- Purpose: the database answers.
-- Locks: none. Rows: one.
select 1 as one
