-- Purpose: entries of the calendar after an epoch, in order.
-- Locks: none. Rows: all at start, then the new ones.
select * from ledger_read.calendar_entry where epoch > $1 order by epoch
