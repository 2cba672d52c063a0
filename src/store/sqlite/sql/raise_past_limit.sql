-- Purpose: count what came past the daily bound. The marked row is repeated for each.
-- Locks: the database's one writer. Rows: one for each platform, day and type.
insert into past_limit (platform_code, received_on, entry_type, arrivals)
values /*row*/(?, ?, ?, ?)/*end*/
on conflict (platform_code, received_on, entry_type) do update set arrivals = arrivals + excluded.arrivals
