-- Purpose: what is compared of lines in the journals with seals after $1 up to $2: lines of ended orders booked in a month ($3), of a platform ($4),
-- province ($5) and industry ($6; null: all). Column by column, texts a line each: a row of the protocol for each would cost as much as all the rest.
-- Locks: none. Rows: one, for those of the stretch; nulls where there is none.
with stretch as materialized (
    select seal_no, journal_id from ledger_read.seal where seal_no > $1 and seal_no <= $2
)
select string_agg(l.platform_code, E'\n') as platform_code, string_agg(l.order_id, E'\n') as order_id,
       string_agg(l.province_code, E'\n') as province_code, string_agg(l.industry_code, E'\n') as industry_code,
       array_agg(l.assignment_no) as assignment_no, array_agg(l.slot) as slot, array_agg(l.kind) as kind,
       array_agg(l.premium_state) as premium_state, array_agg(l.service_period) as service_period, array_agg(l.rate_id) as rate_id,
       array_agg(l.worker_id) as worker_id, array_agg((l.amount * 1000000)::bigint) as amount
from stretch
join ledger_read.line_of_all l using (journal_id)
where l.end_kind is not null and l.period = $3
  and ($4::text is null or l.platform_code = $4) and ($5::text is null or l.province_code = $5) and ($6::text is null or l.industry_code = $6)
