-- Purpose: one page of a platform's ($1) refusals of a day ($2), after a key ($3, $4).
-- Locks: none. Rows: at most $5.
select * from ledger_read.refusal
where platform_code = $1 and received_on = $2 and (payload_digest, violation_code) > ($3, $4)
order by payload_digest, violation_code
limit $5
