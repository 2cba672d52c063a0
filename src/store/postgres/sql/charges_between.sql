-- Purpose: CHARGE lines in the journals with seals after $1 up to $2: of a platform ($3), province ($4) and industry ($5; null: all), accepted
-- from $6 on and before $7 (null: no end), priced before a revision ($8).
-- Locks: none. Rows: at most those of the stretch.
with stretch as materialized (
    select journal_id from ledger_read.seal where seal_no > $1 and seal_no <= $2
)
select l.platform_code, l.order_id, l.assignment_no, l.slot
from stretch
join ledger_read.line_of_all l using (journal_id)
where l.kind = 2 and l.registry_revision < $8
  and ($3::text is null or l.platform_code = $3) and ($4::text is null or l.province_code = $4)
  and ($5::text is null or l.industry_code = $5)
  and l.accepted_at >= $6 and ($7::timestamptz is null or l.accepted_at < $7)
