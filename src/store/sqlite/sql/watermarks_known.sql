-- Purpose: the newest report of each of these platforms up to a seal. The marked row, with the seal in each, is repeated.
-- Locks: none. Rows: at most one for each.
with k (platform_code, seal_no) as (values /*row*/(?, ?)/*end*/)
select w.*, j.recorded_at
from k join watermark w on w.platform_code = k.platform_code
    and w.report_no = (select max(n.report_no) from watermark n join seal s using (journal_id)
        where n.platform_code = k.platform_code and s.seal_no <= k.seal_no)
join journal j using (journal_id)
