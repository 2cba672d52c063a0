-- Purpose: the newest report of each of these platforms ($1). Lateral as in lines_of.
-- Locks: none. Rows: at most one for each.
select w.*
from unnest($1::text[]) as k (platform_code)
cross join lateral (select * from ledger_read.watermark v
    where v.platform_code = k.platform_code order by v.report_no desc limit 1) as w
