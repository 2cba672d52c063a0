-- Purpose: what a fold ($2) of level $1 counts of hours, from the eight below it.
-- Locks: none that wait. Rows: some hundreds.
insert into ledger.hour_total (level, fold_no, platform_code, hour, accepted, ended)
select $1::smallint, $2::integer, platform_code, hour, sum(accepted)::bigint, sum(ended)::bigint
from ledger.hour_total
where level = $1::smallint - 1 and fold_no between 8 * $2::integer and 8 * $2::integer + 7
group by platform_code, hour
having sum(accepted) <> 0 or sum(ended) <> 0
