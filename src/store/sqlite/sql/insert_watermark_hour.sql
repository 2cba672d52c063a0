-- Purpose: hours of a watermark report. The marked row is repeated for each.
-- Locks: the database's one writer. Rows: at most 744.
insert into watermark_hour (platform_code, report_no, hour, accepted, ended) values /*row*/(?, ?, ?, ?, ?)/*end*/
