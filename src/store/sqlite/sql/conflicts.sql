-- Purpose: one page of a platform's conflicts of a day, after a key.
-- Locks: none. Rows: bounded.
select c.*, j.recorded_at, coalesce(r.repeats, 0) as repeats
from conflict c join journal j using (journal_id)
left join conflict_repeat r using (platform_code, order_id, assignment_no, content_digest)
where c.platform_code = ? and c.received_on = ? and (c.order_id, c.assignment_no, c.content_digest) > (?, ?, ?)
order by c.order_id, c.assignment_no, c.content_digest limit ?
