-- Purpose: platforms with a line of a worker ($1) accepted in a range ($2, $3), each with its newest report, if it made one. Lateral as in
-- lines_of.
-- Locks: none. Rows: a few.
select p.platform_code as relevant_platform, w.*
from (select distinct platform_code from ledger_read.line where worker_id = $1 and accepted_at between $2 and $3) as p
left join lateral (select * from ledger_read.watermark v
    where v.platform_code = p.platform_code order by v.report_no desc limit 1) as w on true
