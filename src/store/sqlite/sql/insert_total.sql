-- Purpose: sums of a fold of journals. The marked row is repeated for each.
-- Locks: the database's one writer. Rows: some thousands.
insert into total (level, fold_no, platform_code, period, province_code, industry_code, service_period, kind, premium_state, end_kind, rate_id, registry_revision, lines, amount, standing)
values /*row*/(0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)/*end*/
