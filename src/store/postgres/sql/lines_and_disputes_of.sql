-- Purpose: as lines_of; and `disputed`: a version of the order is kept as a conflict.
-- Locks: none. Rows: a few for each key.
select l.*, exists (select from ledger_read.conflict c
    where c.platform_code = k.platform_code and c.order_id = k.order_id and c.assignment_no = k.assignment_no) as disputed
from unnest($1::text[], $2::text[], $3::smallint[]) as k (platform_code, order_id, assignment_no)
cross join lateral (select * from ledger_read.line v
    where v.platform_code = k.platform_code and v.order_id = k.order_id and v.assignment_no = k.assignment_no
    limit 1000) as l
limit $4
