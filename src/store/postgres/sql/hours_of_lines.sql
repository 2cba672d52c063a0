-- Purpose: of the first lines of keys, OPEN and ended, in the journals with seals after $1 up to $2, of a platform ($3, null: all): the hours of acceptance
-- and end.
-- Locks: none. Rows: one for each combination.
with stretch as materialized (
    select journal_id from ledger_read.seal where seal_no > $1 and seal_no <= $2
)
select l.platform_code, date_bin('1 hour', l.accepted_at, 'epoch') as accepted_hour, date_bin('1 hour', l.ended_at, 'epoch') as ended_hour, count(*) as lines
from stretch
join ledger_read.line_of_all l using (journal_id)
where ($3::text is null or l.platform_code = $3) and l.slot <= 1
group by 1, 2, 3
