-- Purpose: one page of a platform's ($1) conflicts of a day ($2), after a key ($3, $4, $5).
-- Locks: none. Rows: at most $6.
select * from ledger_read.conflict
where platform_code = $1 and received_on = $2
  and (order_id, assignment_no, content_digest) > ($3 collate "C", $4, $5)
order by order_id, assignment_no, content_digest
limit $6
