-- Purpose: how many came past the daily bound of a platform ($1), day ($2) and entry type ($3).
-- Locks: none. Rows: one.
select coalesce(sum(arrivals), 0)::bigint as arrivals
from ledger_read.past_limit where platform_code = $1 and received_on = $2 and entry_type = $3
