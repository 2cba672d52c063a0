-- Purpose: the journal's own row.
-- Locks: the database's one writer. Rows: one.
insert into journal (journal_id, recorded_at, entry_count, encoding_version, root) values (?, ?, ?, ?, ?)
