-- Purpose: kept conflicts of these keys; $1..$3 are parallel arrays. $4 bounds the rows.
-- Locks: none. Rows: usually none.
select c.*
from unnest($1::text[], $2::text[], $3::smallint[]) as k (platform_code, order_id, assignment_no)
join ledger_read.conflict c using (platform_code, order_id, assignment_no)
limit $4
