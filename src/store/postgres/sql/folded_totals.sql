-- Purpose: the sums of some folds ($1 levels, $2 numbers), of a platform ($3, null: all) and a period ($4, null: all). Lateral with a limit as in lines_of; a fold has
-- some thousands of sums.
-- Locks: none. Rows: one for each combination.
select t.platform_code, t.period, t.province_code, t.industry_code, t.service_period, t.kind, t.premium_state, t.end_kind, t.rate_id, t.registry_revision,
       sum(t.lines)::bigint as lines, sum(t.amount) as amount, sum(t.standing)::bigint as standing
from unnest($1::smallint[], $2::integer[]) as f (level, fold_no)
cross join lateral (select * from ledger_read.total v
    where v.level = f.level and v.fold_no = f.fold_no and ($3::text is null or v.platform_code = $3) and ($4::integer is null or v.period = $4)
    limit 1000000) as t
group by t.platform_code, t.period, t.province_code, t.industry_code, t.service_period, t.kind, t.premium_state, t.end_kind, t.rate_id, t.registry_revision
