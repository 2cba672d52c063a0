-- Purpose: a part ($2) of what the run of a journal ($1) found.
-- Locks: none. Rows: one or none.
select differences from ledger_read.difference_part where journal_id = $1 and part_no = $2
