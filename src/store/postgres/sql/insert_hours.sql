-- Purpose: what a fold of journals ($1 its number) counts of hours, in parallel arrays.
-- Locks: none that wait. Rows: some for each platform.
insert into ledger.hour_total (level, fold_no, platform_code, hour, accepted, ended)
select 0, $1, t.* from unnest($2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[]) as t
