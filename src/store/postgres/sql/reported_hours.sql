-- Purpose: a platform's ($1) newest own counts of the hours from $2 up to before $3.
-- Locks: none. Rows: one for each hour that it told.
select hour, accepted, ended, report_no
from ledger_read.newest_hour
where platform_code = $1 and hour >= $2 and hour < $3
order by hour
