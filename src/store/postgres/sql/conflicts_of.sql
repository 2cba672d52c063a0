-- Purpose: kept conflicts of these keys; $1..$3 are parallel arrays. $4 bounds the rows. Lateral as in lines_of.
-- Locks: none. Rows: usually none.
select c.*
from unnest($1::text[], $2::text[], $3::smallint[]) as k (platform_code, order_id, assignment_no)
cross join lateral (select * from ledger_read.conflict v
    where v.platform_code = k.platform_code and v.order_id = k.order_id and v.assignment_no = k.assignment_no
    limit $4) as c
limit $4
