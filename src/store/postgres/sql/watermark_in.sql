-- Purpose: the report that a journal holds; its platform's reports are few thousand a year.
-- Locks: none. Rows: at most one.
select * from ledger_read.watermark where journal_id = $1
