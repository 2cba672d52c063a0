-- Purpose: of these (key, slot), which hold a line; $1..$4 are parallel arrays.
-- Locks: none. Rows: at most as many as asked; usually very few.
select k.n
from unnest($1::text[], $2::text[], $3::smallint[], $4::smallint[])
     with ordinality as k (platform_code, order_id, assignment_no, slot, n)
where exists (select from ledger.line l
              where l.platform_code = k.platform_code and l.order_id = k.order_id
                and l.assignment_no = k.assignment_no and l.slot = k.slot)
