-- Purpose: the newest report of each of these platforms. The marked row is repeated for each.
-- Locks: none. Rows: at most one for each.
with k (platform_code) as (values /*row*/(?)/*end*/)
select w.*, j.recorded_at
from k join watermark w on w.platform_code = k.platform_code
    and w.report_no = (select max(n.report_no) from watermark n where n.platform_code = k.platform_code)
join journal j using (journal_id)
