-- Purpose: the newest sealed journal: its seal, and when it was received.
-- Locks: none. Rows: one, or none.
select s.seal_no, j.recorded_at
from (select seal_no, journal_id from ledger_read.seal order by seal_no desc limit 1) as s
join ledger_read.journal j using (journal_id)
