-- Purpose: the report that a journal holds; reports are few thousand a year.
-- Locks: none. Rows: at most one.
select w.*, j.recorded_at from watermark w join journal j using (journal_id) where w.journal_id = ?
