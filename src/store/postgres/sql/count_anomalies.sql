-- Purpose: how many doubtful orders of a platform ($1) and type ($3) are kept of a day ($2), counted up to the daily bound ($4).
-- Locks: none. Rows: one.
select count(*) as kept from (select 1 from ledger_read.anomaly where platform_code = $1 and found_on = $2 and kind = $3 limit $4) as kept_ones
