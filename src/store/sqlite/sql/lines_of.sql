-- Purpose: all lines of these keys. The marked row is repeated for each.
-- Locks: none. Rows: a few for each key.
with k (platform_code, order_id, assignment_no) as (values /*row*/(?, ?, ?)/*end*/)
select l.*, j.recorded_at
from k cross join line l using (platform_code, order_id, assignment_no)
join journal j using (journal_id)
