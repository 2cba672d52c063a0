-- Purpose: registry rows after a number, in order.
-- Locks: none. Rows: all at start, then the new ones.
select * from registry_row where row_id > ? order by row_id
