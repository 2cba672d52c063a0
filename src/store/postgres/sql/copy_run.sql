-- Purpose: the runs that a journal begins.
-- Locks: as copy_line. Rows: one.
copy ledger.run (run_no, journal_id, line_no, kind, registry_revision, seal_no, asked, outcome) from stdin with (format binary)
