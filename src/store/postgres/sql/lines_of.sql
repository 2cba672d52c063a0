-- Purpose: all lines of these keys; $1..$3 are parallel arrays, each key once. $4 bounds the rows, 1,000 those of a key. The lateral
-- subquery with its limit keeps the key's parts parameters of the barrier view, which a join would read whole.
-- Locks: none. Rows: a few for each key.
select l.*
from unnest($1::text[], $2::text[], $3::smallint[]) as k (platform_code, order_id, assignment_no)
cross join lateral (select * from ledger_read.line v
    where v.platform_code = k.platform_code and v.order_id = k.order_id and v.assignment_no = k.assignment_no
    limit 1000) as l
limit $4
