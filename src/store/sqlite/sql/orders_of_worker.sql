-- Purpose: orders that, by a line or a kept conflict, were a worker's (?1) and accepted in a range (?2, ?3). ?4 is a JSON array: the row numbers
-- of those of his lines that are not folded yet (or are, since they were asked for: hence no `all`). ?5 bounds the rows of either sort.
-- Locks: none. Rows: a worker's orders of some days; bounded.
select * from (select 1 as is_booked, w.accepted_at, platform_code, order_id, assignment_no
    from worker_line w join line l using (row_no)
    where w.worker_id = ?1 and w.accepted_at between ?2 and ?3
    union
    select 1, accepted_at, platform_code, order_id, assignment_no from line where row_no in (select value from json_each(?4))
    limit ?5)
union all
select * from (select 0, accepted_at, platform_code, order_id, assignment_no
    from conflict where worker_id = ?1 and accepted_at between ?2 and ?3
    limit ?5)
