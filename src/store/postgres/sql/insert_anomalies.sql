-- Purpose: doubtful orders found on a day ($1), in parallel arrays. One that was found that day already is left alone.
-- Locks: the rows. Rows: usually few.
insert into ledger.anomaly (platform_code, found_on, kind, order_id, assignment_no, other_platform_code, other_order_id, other_assignment_no)
select t.platform_code, $1, t.kind, t.order_id, t.assignment_no, t.other_platform_code, t.other_order_id, t.other_assignment_no
from unnest($2::text[], $3::smallint[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::smallint[])
    as t (platform_code, kind, order_id, assignment_no, other_platform_code, other_order_id, other_assignment_no)
on conflict do nothing
