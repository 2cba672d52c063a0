-- Purpose: the sums of some folds ($1 levels, $2 numbers), of a platform ($3, null: all) and a period ($4).
-- Locks: none. Rows: one for each combination.
select t.platform_code, t.period, t.province_code, t.industry_code, t.service_period, t.kind, t.premium_state, t.end_kind, t.rate_id, t.registry_revision,
       sum(t.lines)::bigint as lines, sum(t.amount) as amount, sum(t.standing)::bigint as standing
from unnest($1::smallint[], $2::integer[]) as f (level, fold_no)
join ledger_read.total t using (level, fold_no)
where ($3::text is null or t.platform_code = $3) and t.period = $4
group by t.platform_code, t.period, t.province_code, t.industry_code, t.service_period, t.kind, t.premium_state, t.end_kind, t.rate_id, t.registry_revision
