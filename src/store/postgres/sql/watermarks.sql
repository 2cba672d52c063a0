-- Purpose: the newest report of each of these platforms ($1).
-- Locks: none. Rows: at most one for each.
select * from ledger_read.newest_watermark where platform_code = any($1::text[])
