-- Purpose: what a fold (?2) of level ?1 counts of hours, from the eight below it.
-- Locks: none that wait. Rows: some hundreds.
insert into hour_total (level, fold_no, platform_code, hour, accepted, ended)
select ?1, ?2, platform_code, hour, sum(accepted), sum(ended)
from hour_total
where level = ?1 - 1 and fold_no between 8 * ?2 and 8 * ?2 + 7
group by platform_code, hour
having sum(accepted) <> 0 or sum(ended) <> 0
