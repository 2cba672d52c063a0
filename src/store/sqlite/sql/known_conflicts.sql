-- Purpose: of these conflicts (n, key, digest), which are kept. The marked row is repeated for each.
-- Locks: none. Rows: at most as many as asked.
with k (n, platform_code, order_id, assignment_no, content_digest) as (values /*row*/(?, ?, ?, ?, ?)/*end*/)
select k.n from k
where exists (select 1 from conflict c
              where c.platform_code = k.platform_code and c.order_id = k.order_id
                and c.assignment_no = k.assignment_no and c.content_digest = k.content_digest)
