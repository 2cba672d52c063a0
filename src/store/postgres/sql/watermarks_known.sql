-- Purpose: the newest report of each of these platforms ($1) up to a seal ($2). Reads all reports of each. Lateral as in lines_of.
-- Locks: none. Rows: at most one for each.
select w.*
from unnest($1::text[]) as k (platform_code)
cross join lateral (select v.* from ledger_read.watermark v join ledger_read.seal s using (journal_id)
    where v.platform_code = k.platform_code and s.seal_no <= $2 order by v.report_no desc limit 1) as w
