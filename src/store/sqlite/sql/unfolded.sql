-- Purpose: lines that worker_line does not hold yet (some of them it may, when a fold was broken off), after the line ?1, at most ?2.
-- Locks: none. Rows: a page.
select row_no, worker_id, accepted_at from line
where row_no > max(?1, coalesce((select max(through_row_no) from worker_line_fold), 0))
order by row_no
limit ?2
