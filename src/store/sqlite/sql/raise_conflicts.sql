-- Purpose: count conflicts that came again. The marked row is repeated for each.
-- Locks: the database's one writer. Rows: one for each.
insert into conflict_repeat (platform_code, order_id, assignment_no, content_digest, repeats)
values /*row*/(?, ?, ?, ?, ?)/*end*/
on conflict (platform_code, order_id, assignment_no, content_digest) do update set repeats = repeats + excluded.repeats
