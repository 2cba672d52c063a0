-- Purpose: what some folds (?1: JSON, pairs of level and number) count of a platform's (?2) hours from ?3 up to before ?4.
-- Locks: none. Rows: one for each hour.
with f (level, fold_no) as (select value ->> 0, value ->> 1 from json_each(?1))
select t.platform_code, t.hour, sum(t.accepted) as accepted, sum(t.ended) as ended
from f
cross join hour_total t using (level, fold_no)
where t.platform_code = ?2 and t.hour >= ?3 and t.hour < ?4
group by t.platform_code, t.hour
