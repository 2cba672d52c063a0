-- Purpose: entries of the calendar of a journal. The marked row is repeated for each.
-- Locks: the database's one writer. Rows: one.
insert into calendar_entry (epoch, journal_id, line_no, step, platform_code, province_code, period, amount, document, dated_on)
values /*row*/(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)/*end*/
