-- Purpose: count refusals that came again. The marked row is repeated for each.
-- Locks: the database's one writer. Rows: one for each.
insert into refusal_repeat (platform_code, received_on, payload_digest, violation_code, repeats)
values /*row*/(?, ?, ?, ?, ?)/*end*/
on conflict (platform_code, received_on, payload_digest, violation_code) do update set repeats = repeats + excluded.repeats
