-- Purpose: distinct refusals kept of platforms ($1) on a day ($2), counted up to a bound ($3).
-- Locks: none. Rows: one for each platform.
select k.platform_code, (select count(*) from (select from ledger.refusal f
    where f.platform_code = k.platform_code and f.received_on = $2 limit $3) as kept) as kept
from unnest($1::text[]) as k (platform_code)
