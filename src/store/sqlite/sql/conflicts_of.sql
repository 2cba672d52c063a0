-- Purpose: kept conflicts of these keys. The marked row is repeated for each.
-- Locks: none. Rows: usually none.
with k (platform_code, order_id, assignment_no) as (values /*row*/(?, ?, ?)/*end*/)
select c.*, j.recorded_at, coalesce(r.repeats, 0) as repeats
from k cross join conflict c using (platform_code, order_id, assignment_no)
join journal j using (journal_id)
left join conflict_repeat r using (platform_code, order_id, assignment_no, content_digest)
