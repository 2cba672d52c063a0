-- Purpose: all lines of these keys; $1..$3 are parallel arrays, each key once. $4 bounds the rows.
-- Locks: none. Rows: a few for each key.
select l.*
from unnest($1::text[], $2::text[], $3::smallint[]) as k (platform_code, order_id, assignment_no)
join ledger_read.line l using (platform_code, order_id, assignment_no)
limit $4
