-- Purpose: how many journals wait for a seal, counted up to ten thousand, and for how long the first has waited, microseconds.
-- Locks: none. Rows: one.
select count(*) as journals, (extract(epoch from clock_timestamp() - min(j.recorded_at)) * 1000000)::bigint as waited
from (select journal_id from ledger.unsealed order by arrival_no limit 10000) as u
join ledger.journal j using (journal_id)
