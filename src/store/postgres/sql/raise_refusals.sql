-- Purpose: count refusals that came again; $1..$5 are parallel arrays, sorted, so that two writers lock in one order.
-- Locks: the counters' rows until commit. Rows: one for each.
insert into ledger.refusal_repeat as r (platform_code, received_on, payload_digest, violation_code, repeats)
select * from unnest($1::text[], $2::date[], $3::bytea[], $4::smallint[], $5::bigint[])
on conflict on constraint refusal_repeat_pkey do update set repeats = r.repeats + excluded.repeats
