-- Purpose: the registry rows of a journal.
-- Locks: as copy_line. Rows: one, or all seeds.
copy ledger.registry_row (row_id, journal_id, line_no, kind, name, platform_code, province_code, industry_code, value, base, factor, valid_from, valid_to, document, confidence, supersedes) from stdin with (format binary)
