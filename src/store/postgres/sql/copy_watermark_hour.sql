-- Purpose: the hours of the watermark reports of a journal.
-- Locks: as copy_line. Rows: at most 744 a report.
copy ledger.watermark_hour (platform_code, report_no, hour, accepted, ended) from stdin with (format binary)
