-- Purpose: a platform's ($1) newest own counts of the hours from $2 up to before $3.
-- Locks: none. Rows: one for each hour that it told.
select h.hour, r.accepted, r.ended, r.report_no
from generate_series($2::timestamptz, $3::timestamptz - interval '1 hour', interval '1 hour') as h (hour)
cross join lateral (select v.accepted, v.ended, v.report_no from ledger_read.watermark_hour v
    where v.platform_code = $1 and v.hour = h.hour
    order by v.report_no desc limit 1) as r
order by h.hour
