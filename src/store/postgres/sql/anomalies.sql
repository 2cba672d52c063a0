-- Purpose: one page of a platform's ($1) doubtful orders of a type ($3), found on a day ($2), after a key ($4 to $8).
-- Locks: none. Rows: at most $9.
select * from ledger_read.anomaly
where platform_code = $1 and found_on = $2 and kind = $3
  and (order_id, assignment_no, other_platform_code, other_order_id, other_assignment_no) > ($4 collate "C", $5, $6 collate "C", $7 collate "C", $8)
order by order_id, assignment_no, other_platform_code, other_order_id, other_assignment_no
limit $9
