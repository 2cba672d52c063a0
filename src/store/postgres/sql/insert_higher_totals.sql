-- Purpose: the sums of a fold ($2) of level $1 from the eight below it.
-- Locks: none that wait. Rows: some thousands.
insert into ledger.total (level, fold_no, platform_code, period, province_code, industry_code, service_period, kind, premium_state, end_kind, rate_id, registry_revision, lines, amount, standing)
select $1::smallint, $2::integer, platform_code, period, province_code, industry_code, service_period, kind, premium_state, end_kind, rate_id, registry_revision,
       sum(lines)::bigint, sum(amount), sum(standing)::bigint
from ledger.total
where level = $1::smallint - 1 and fold_no between 8 * $2::integer and 8 * $2::integer + 7
group by platform_code, period, province_code, industry_code, service_period, kind, premium_state, end_kind, rate_id, registry_revision
having sum(lines) <> 0 or sum(amount) <> 0 or sum(standing) <> 0
