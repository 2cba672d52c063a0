-- Purpose: of these (n, key, slot), which hold a line. The marked row is repeated for each.
-- Locks: none. Rows: at most as many as asked; usually very few.
with k (n, platform_code, order_id, assignment_no, slot) as (values /*row*/(?, ?, ?, ?, ?)/*end*/)
select k.n from k
where exists (select 1 from line l
              where l.platform_code = k.platform_code and l.order_id = k.order_id
                and l.assignment_no = k.assignment_no and l.slot = k.slot)
