-- Purpose: platforms with a line of a worker (?1) accepted in a range (?2, ?3). ?4 as in orders_of_worker.
-- Locks: none. Rows: a few.
select platform_code
from worker_line w join line l using (row_no)
where w.worker_id = ?1 and w.accepted_at between ?2 and ?3
union
select platform_code from line where row_no in (select value from json_each(?4))
