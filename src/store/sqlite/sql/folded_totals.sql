-- Purpose: the sums of some folds (?1: JSON, pairs of level and number), of a platform (?2, null: all) and a period (?3, null: all).
-- Locks: none. Rows: one for each combination.
with f (level, fold_no) as (select value ->> 0, value ->> 1 from json_each(?1))
select t.platform_code, t.period, t.province_code, t.industry_code, t.service_period, t.kind, t.premium_state, t.end_kind, t.rate_id, t.registry_revision,
       sum(t.lines) as lines, sum(t.amount) as amount, sum(t.standing) as standing
from f
cross join total t using (level, fold_no)
where (?2 is null or t.platform_code = ?2) and (?3 is null or t.period = ?3)
group by t.platform_code, t.period, t.province_code, t.industry_code, t.service_period, t.kind, t.premium_state, t.end_kind, t.rate_id, t.registry_revision
