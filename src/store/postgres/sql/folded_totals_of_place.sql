-- Purpose: the sums of some folds ($1 levels, $2 numbers), of one platform ($3), period ($4), province ($5) and industry ($6): what the index leads to, however
-- much else the folds hold. Lateral with a limit as in lines_of.
-- Locks: none. Rows: one for each combination.
select t.platform_code, t.period, t.province_code, t.industry_code, t.service_period, t.kind, t.premium_state, t.end_kind, t.rate_id, t.registry_revision,
       sum(t.lines)::bigint as lines, sum(t.amount) as amount, sum(t.standing)::bigint as standing
from unnest($1::smallint[], $2::integer[]) as f (level, fold_no)
cross join lateral (select * from ledger_read.total v
    where v.level = f.level and v.fold_no = f.fold_no and v.platform_code = $3 and v.period = $4 and v.province_code = $5 and v.industry_code = $6
    limit 1000000) as t
group by t.platform_code, t.period, t.province_code, t.industry_code, t.service_period, t.kind, t.premium_state, t.end_kind, t.rate_id, t.registry_revision
