-- Purpose: the conflicts of a journal.
-- Locks: as copy_line. Rows: all conflicts of the journal.
copy ledger.conflict (journal_id, line_no, platform_code, order_id, assignment_no, worker_id, industry_code, accept_area, accepted_at, ended_at, end_kind, service_agency_code, source_platform_code, source_order_id, sent_at, content_digest, differing, compared_journal_id, compared_line_no, received_on) from stdin with (format binary)
