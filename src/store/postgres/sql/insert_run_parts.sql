-- Purpose: parts of a run ($1); $2..$5 are parallel arrays.
-- Locks: none that wait. Rows: some thousand.
insert into ledger.worker_run_part (run_id, first_worker, first_accepted, part_no, entries)
select $1, p.* from unnest($2::uuid[], $3::timestamptz[], $4::integer[], $5::bytea[]) as p
