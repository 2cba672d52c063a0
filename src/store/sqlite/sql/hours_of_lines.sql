-- Purpose: of the first lines of keys, OPEN and ended, after row ?1 up to row ?2, of a platform (?3, null: all): the hours of acceptance and end.
-- Locks: none. Rows: one for each combination.
select l.platform_code, l.accepted_at - l.accepted_at % 3600000000 as accepted_hour, l.ended_at - l.ended_at % 3600000000 as ended_hour, count(*) as lines
from line l
where l.row_no > ?1 and l.row_no <= ?2 and (?3 is null or l.platform_code = ?3) and l.slot <= 1
group by 1, 2, 3
