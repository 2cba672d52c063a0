-- Purpose: keys that, by a line or a kept conflict, were a worker's ($1) and accepted in a range ($2, $3). $4 bounds the rows.
-- Locks: none. Rows: a worker's orders of some days.
select platform_code, order_id, assignment_no from ledger_read.line
where worker_id = $1 and accepted_at between $2 and $3
union
select platform_code, order_id, assignment_no from ledger_read.conflict
where worker_id = $1 and accepted_at between $2 and $3
limit $4
