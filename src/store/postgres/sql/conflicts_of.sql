-- Purpose: kept conflicts of these keys, by arrival; $1..$3 are parallel arrays. $4 bounds the rows of each key.
-- Locks: none. Rows: usually none.
select c.*
from unnest($1::text[], $2::text[], $3::smallint[]) as k (platform_code, order_id, assignment_no)
cross join lateral (select * from ledger_read.conflict v
    where v.platform_code = k.platform_code and v.order_id = k.order_id and v.assignment_no = k.assignment_no
    order by v.recorded_at, v.content_digest limit $4) as c
order by c.recorded_at, c.content_digest
