-- Purpose: doubtful orders of the lines after row ?1 up to row ?2: those whose source is an order of another platform, those of which two assignments
-- were completed, and those that were accepted and never ended.
-- Locks: none. Rows: usually few.
select 1 as kind, l.platform_code, l.order_id, l.assignment_no,
       v.platform_code as other_platform_code, v.order_id as other_order_id, v.assignment_no as other_assignment_no
from line l
join line v on v.order_id = l.source_order_id and v.platform_code = l.source_platform_code
where l.row_no > ?1 and l.row_no <= ?2 and l.kind <= 2 and l.source_order_id is not null and l.source_platform_code <> l.platform_code
union
select 3, l.platform_code, l.order_id, l.assignment_no, v.platform_code, v.order_id, v.assignment_no
from line l
join line v on v.order_id = l.order_id and v.platform_code = l.platform_code and v.assignment_no < l.assignment_no
where l.row_no > ?1 and l.row_no <= ?2 and l.kind = 2 and l.end_kind = 1 and l.assignment_no > 1 and v.kind = 2 and v.end_kind = 1
union
select 4, l.platform_code, l.order_id, l.assignment_no, '', '', 0
from line l
where l.row_no > ?1 and l.row_no <= ?2 and l.kind = 1 and not exists (
    select 1 from line v
    where v.order_id = l.order_id and v.platform_code = l.platform_code and v.assignment_no = l.assignment_no
      and (v.kind = 2 or v.kind = 3 and v.corrects_slot = l.slot)
)
