-- Purpose: the newest report of every platform.
-- Locks: none. Rows: one for each platform that reported.
select distinct on (platform_code) * from ledger_read.watermark order by platform_code, report_no desc
