-- Purpose: doubtful orders of the journals with seals after $1 up to $2: those whose source is an order of another platform, those of which two
-- assignments were completed, and those that were accepted and never ended.
-- Locks: none. Rows: usually few.
with stretch as materialized (
    select journal_id from ledger_read.seal where seal_no > $1 and seal_no <= $2
)
select 1 as kind, l.platform_code, l.order_id, l.assignment_no,
       o.platform_code as other_platform_code, o.order_id as other_order_id, o.assignment_no as other_assignment_no
from stretch join ledger_read.line_of_all l using (journal_id)
cross join lateral (
    select distinct v.platform_code, v.order_id, v.assignment_no from ledger_read.line_of_all v
    where v.order_id = l.source_order_id and v.platform_code = l.source_platform_code
    limit 100
) as o
where l.kind <= 2 and l.source_order_id is not null and l.source_platform_code <> l.platform_code
union
select 3, l.platform_code, l.order_id, l.assignment_no, o.platform_code, o.order_id, o.assignment_no
from stretch join ledger_read.line_of_all l using (journal_id)
cross join lateral (
    select distinct v.platform_code, v.order_id, v.assignment_no from ledger_read.line_of_all v
    where v.order_id = l.order_id and v.platform_code = l.platform_code and v.assignment_no < l.assignment_no and v.kind = 2 and v.end_kind = 1
    limit 100
) as o
where l.kind = 2 and l.end_kind = 1 and l.assignment_no > 1
union
select 4, l.platform_code, l.order_id, l.assignment_no, '', '', 0
from stretch join ledger_read.line_of_all l using (journal_id)
where l.kind = 1 and not exists (
    select 1 from ledger_read.line_of_all v
    where v.order_id = l.order_id and v.platform_code = l.platform_code and v.assignment_no = l.assignment_no
      and (v.kind = 2 or v.kind = 3 and v.corrects_slot = l.slot)
)
