-- Purpose: the watermark reports of a journal.
-- Locks: as copy_line. Rows: all reports of the journal.
copy ledger.watermark (journal_id, line_no, platform_code, report_no, watermark) from stdin with (format binary)
