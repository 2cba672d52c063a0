-- Purpose: keys that, by a line or a kept conflict, were a worker's and accepted in a range.
-- Locks: none. Rows: a worker's orders of some days; bounded.
select platform_code, order_id, assignment_no from line where worker_id = ?1 and accepted_at between ?2 and ?3
union
select platform_code, order_id, assignment_no from conflict where worker_id = ?1 and accepted_at between ?2 and ?3
limit ?4
