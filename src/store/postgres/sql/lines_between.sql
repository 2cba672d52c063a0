-- Purpose: the lines of a platform ($1) and month ($2) in the journals with seals after $3 up to $4, as they were booked.
-- Locks: none. Rows: at most those of the stretch.
with stretch as materialized (
    select seal_no, journal_id, recorded_at
    from ledger_read.seal
    join ledger_read.journal using (journal_id)
    where seal_no > $3 and seal_no <= $4
)
select l.*, stretch.recorded_at, stretch.seal_no
from stretch
join ledger_read.line_of_all l using (journal_id)
where l.platform_code = $1 and l.period = $2
order by stretch.seal_no, l.line_no
