-- Purpose: platforms with a line of a worker (?1) accepted in a range (?2, ?3), each with its newest report, if it made one. ?4 is a JSON array:
-- the row numbers of those of his lines that are not folded yet.
-- Locks: none. Rows: a few.
with p (platform_code) as (
    select platform_code
    from worker_line w join line l using (row_no)
    where w.worker_id = ?1 and w.accepted_at between ?2 and ?3
    union
    select platform_code from line where row_no in (select value from json_each(?4))
)
select p.platform_code as relevant_platform, w.*, j.recorded_at
from p left join watermark w on w.platform_code = p.platform_code
    and w.report_no = (select max(n.report_no) from watermark n where n.platform_code = p.platform_code)
left join journal j using (journal_id)
