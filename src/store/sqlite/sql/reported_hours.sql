-- Purpose: a platform's (?1) newest own counts of the hours from ?2 up to before ?3.
-- Locks: none. Rows: one for each hour that it told.
select w.hour, w.accepted, w.ended, w.report_no
from watermark_hour w
where w.platform_code = ?1 and w.hour >= ?2 and w.hour < ?3
  and w.report_no = (select max(n.report_no) from watermark_hour n where n.platform_code = w.platform_code and n.hour = w.hour)
order by w.hour
