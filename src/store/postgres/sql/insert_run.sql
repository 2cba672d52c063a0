-- Purpose: a merged run; where it is whole, of the journals of those that it was made of ($6).
-- Locks: none that wait. Rows: one.
insert into ledger.worker_run (run_id, level, orders, first_accepted, last_accepted, journals)
select $1, $2, $3, $4, $5, case when $2::smallint = 0 then
    (select array_agg(j.id) from ledger.worker_run r cross join lateral unnest(r.journals) as j (id) where r.run_id = any($6)) end
