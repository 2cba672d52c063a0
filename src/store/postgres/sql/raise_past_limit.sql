-- Purpose: count what came past the daily bound; $1..$4 are parallel arrays, sorted, so that two writers lock in one order.
-- Locks: the counters' rows until commit. Rows: one for each platform, day and type.
insert into ledger.past_limit as p (platform_code, received_on, entry_type, arrivals)
select * from unnest($1::text[], $2::date[], $3::smallint[], $4::bigint[])
on conflict on constraint past_limit_pkey do update set arrivals = p.arrivals + excluded.arrivals
