-- Purpose: one page of a platform's refusals of a day, after a key.
-- Locks: none. Rows: bounded.
select f.*, j.recorded_at, coalesce(r.repeats, 0) as repeats
from refusal f join journal j using (journal_id)
left join refusal_repeat r using (platform_code, received_on, payload_digest, violation_code)
where f.platform_code = ? and f.received_on = ? and (f.payload_digest, f.violation_code) > (?, ?)
order by f.payload_digest, f.violation_code limit ?
