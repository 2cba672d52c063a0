-- Purpose: registry rows after a number, in order.
-- Locks: none. Rows: all at start, then the new ones.
select * from ledger_read.registry_row where row_id > $1 order by row_id
