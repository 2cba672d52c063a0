-- Purpose: the sums of a fold of journals ($1 its number), in parallel arrays.
-- Locks: none that wait. Rows: some thousands.
insert into ledger.total (level, fold_no, platform_code, period, province_code, industry_code, service_period, kind, premium_state, end_kind, rate_id, registry_revision, lines, amount, standing)
select 0, $1, t.*
from unnest($2::text[], $3::integer[], $4::text[], $5::text[], $6::integer[], $7::smallint[], $8::smallint[], $9::smallint[], $10::integer[],
    $11::integer[], $12::bigint[], $13::numeric[], $14::bigint[]) as t
