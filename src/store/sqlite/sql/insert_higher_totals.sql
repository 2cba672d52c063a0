-- Purpose: the sums of a fold (?2) of level ?1 from the eight below it.
-- Locks: none that wait. Rows: some thousands.
insert into total (level, fold_no, platform_code, period, province_code, industry_code, service_period, kind, premium_state, end_kind, rate_id, registry_revision, lines, amount, standing)
select ?1, ?2, platform_code, period, province_code, industry_code, service_period, kind, premium_state, end_kind, rate_id, registry_revision,
       sum(lines), sum(amount), sum(standing)
from total
where level = ?1 - 1 and fold_no between 8 * ?2 and 8 * ?2 + 7
group by platform_code, period, province_code, industry_code, service_period, kind, premium_state, end_kind, rate_id, registry_revision
having sum(lines) <> 0 or sum(amount) <> 0 or sum(standing) <> 0
