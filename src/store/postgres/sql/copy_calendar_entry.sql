-- Purpose: the calendar's entries of a journal.
-- Locks: as copy_line. Rows: one.
copy ledger.calendar_entry (epoch, journal_id, line_no, step, platform_code, province_code, period, amount, document, dated_on) from stdin with (format binary)
