-- Purpose: the journal's own row, first in its transaction, so that a journal written twice is found before any entry is.
-- Locks: none that wait, unless another transaction holds the same id. Rows: one.
insert into ledger.journal (journal_id, entry_count, encoding_version, root)
values ($1, $2, $3, $4)
returning recorded_at
