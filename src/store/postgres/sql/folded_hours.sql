-- Purpose: what some folds ($1 levels, $2 numbers) count of a platform's ($3) hours from $4 up to before $5. Lateral with a limit as in lines_of.
-- Locks: none. Rows: one for each hour.
select t.platform_code, t.hour, sum(t.accepted)::bigint as accepted, sum(t.ended)::bigint as ended
from unnest($1::smallint[], $2::integer[]) as f (level, fold_no)
cross join lateral (select * from ledger_read.hour_total v
    where v.level = f.level and v.fold_no = f.fold_no and v.platform_code = $3 and v.hour >= $4 and v.hour < $5
    limit 1000) as t
group by t.platform_code, t.hour
