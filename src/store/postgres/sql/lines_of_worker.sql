-- Purpose: all lines of the keys that, by a line or a kept conflict, were a worker's ($1) and accepted in a range ($2, $3). $4 bounds the rows,
-- 1,000 those of a key. `disputed`: a version of the order is kept as a conflict. Lateral as in lines_of.
-- Locks: none. Rows: those of a worker's orders of some days.
with k as (
    select platform_code, order_id, assignment_no from ledger_read.line
    where worker_id = $1 and accepted_at between $2 and $3
    union
    select platform_code, order_id, assignment_no from ledger_read.conflict
    where worker_id = $1 and accepted_at between $2 and $3
    limit $4
)
select l.*, exists (select from ledger_read.conflict c
    where c.platform_code = k.platform_code and c.order_id = k.order_id and c.assignment_no = k.assignment_no) as disputed
from k cross join lateral (select * from ledger_read.line v
    where v.platform_code = k.platform_code and v.order_id = k.order_id and v.assignment_no = k.assignment_no
    limit 1000) as l
limit $4
