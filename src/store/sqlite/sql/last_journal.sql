-- Purpose: the highest journal id that was used, to count on from: of a journal, or of what was kept for one that was not written.
-- Locks: none. Rows: one.
select max(coalesce((select max(journal_id) from journal), 0), coalesce((select max(journal_id) from difference_part), 0)) as journal_id
