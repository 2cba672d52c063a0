-- Purpose: what is compared of lines in the journals with seals after $1 up to $2: all but OPEN lines booked in a month ($3), of a platform ($4),
-- province ($5) and industry ($6; null: all), as they were booked.
-- Locks: none. Rows: at most those of the stretch.
with stretch as materialized (
    select seal_no, journal_id from ledger_read.seal where seal_no > $1 and seal_no <= $2
)
select l.platform_code, l.order_id, l.assignment_no, l.kind, l.worker_id, l.province_code, l.industry_code, l.service_period,
       l.premium_state, l.rate_id, l.amount
from stretch
join ledger_read.line_of_all l using (journal_id)
where l.kind > 1 and l.period = $3
  and ($4::text is null or l.platform_code = $4) and ($5::text is null or l.province_code = $5) and ($6::text is null or l.industry_code = $6)
order by stretch.seal_no, l.line_no
