-- Purpose: the newest report of every platform.
-- Locks: none. Rows: one for each platform that reported.
select w.*, j.recorded_at from watermark w join journal j using (journal_id)
where w.report_no = (select max(n.report_no) from watermark n where n.platform_code = w.platform_code)
