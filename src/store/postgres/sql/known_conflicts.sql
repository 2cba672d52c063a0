-- Purpose: of these conflicts, which are kept; $1..$4 are parallel arrays.
-- Locks: none. Rows: at most as many as asked.
select k.n
from unnest($1::text[], $2::text[], $3::smallint[], $4::bytea[])
     with ordinality as k (platform_code, order_id, assignment_no, content_digest, n)
where exists (select from ledger.conflict c
              where c.platform_code = k.platform_code and c.order_id = k.order_id
                and c.assignment_no = k.assignment_no and c.content_digest = k.content_digest)
