-- Purpose: the refusals of a journal.
-- Locks: as copy_line. Rows: all refusals of the journal.
copy ledger.refusal (journal_id, line_no, platform_code, payload_digest, violation_code, field, payload, payload_size, received_on) from stdin with (format binary)
