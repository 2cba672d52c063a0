-- Purpose: kept conflicts of one key, by arrival.
-- Locks: none. Rows: usually none; bounded.
select c.*, j.recorded_at, coalesce(r.repeats, 0) as repeats
from conflict c join journal j using (journal_id)
left join conflict_repeat r using (platform_code, order_id, assignment_no, content_digest)
where c.platform_code = ? and c.order_id = ? and c.assignment_no = ?
order by j.recorded_at, c.content_digest limit ?
