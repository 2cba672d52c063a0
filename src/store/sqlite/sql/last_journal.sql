-- Purpose: the highest journal id, to count on from.
-- Locks: none. Rows: one.
select coalesce(max(journal_id), 0) as journal_id from journal
