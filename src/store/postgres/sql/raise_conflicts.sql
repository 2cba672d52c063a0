-- Purpose: count conflicts that came again; $1..$5 are parallel arrays, sorted, so that two writers lock in one order.
-- Locks: the counters' rows until commit. Rows: one for each.
insert into ledger.conflict_repeat as r (platform_code, order_id, assignment_no, content_digest, repeats)
select * from unnest($1::text[], $2::text[], $3::smallint[], $4::bytea[], $5::bigint[])
on conflict on constraint conflict_repeat_pkey do update set repeats = r.repeats + excluded.repeats
