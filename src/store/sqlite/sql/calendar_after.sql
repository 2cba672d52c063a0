-- Purpose: entries of the calendar after an epoch, in order.
-- Locks: none. Rows: all at start, then the new ones.
select * from calendar_entry where epoch > ? order by epoch
