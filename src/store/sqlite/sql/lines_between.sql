-- Purpose: the lines of a platform (?1) and month (?2) after row ?3 up to row ?4, as they were booked.
-- Locks: none. Rows: at most those of the stretch.
select l.*, j.recorded_at, s.seal_no
from line l
join journal j using (journal_id)
join seal s using (journal_id)
where l.row_no > ?3 and l.row_no <= ?4 and l.platform_code = ?1 and l.period = ?2
order by l.row_no
