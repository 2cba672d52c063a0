-- Purpose: a watermark report of a journal.
-- Locks: the database's one writer. Rows: one.
insert into watermark (journal_id, line_no, platform_code, report_no, watermark) values (?, ?, ?, ?, ?)
