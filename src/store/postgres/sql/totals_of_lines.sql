-- Purpose: sums over the lines of the journals with seals after $1 up to $2, of a platform ($3, null: all) and period ($4, null: all). Each first line of its
-- sort counts its key, as if no other stood (ledger::turnover).
-- Locks: none. Rows: one for each combination.
with stretch as materialized (
    select journal_id from ledger_read.seal where seal_no > $1 and seal_no <= $2
)
select l.platform_code, l.period, l.province_code, l.industry_code, l.service_period, l.kind, l.premium_state, l.end_kind, l.rate_id, l.registry_revision,
       count(*) as lines, coalesce(sum(l.amount), 0) as amount, count(*) filter (where l.slot <= 1) as standing
from stretch
join ledger_read.line_of_all l using (journal_id)
where ($3::text is null or l.platform_code = $3) and ($4::integer is null or l.period = $4)
group by l.platform_code, l.period, l.province_code, l.industry_code, l.service_period, l.kind, l.premium_state, l.end_kind, l.rate_id, l.registry_revision
