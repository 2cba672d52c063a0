-- Purpose: conflicts of a journal. The marked row is repeated for each.
-- Locks: the database's one writer. Rows: as many as given.
insert into conflict (journal_id, line_no, platform_code, order_id, assignment_no, worker_id, industry_code,
    accept_area, accepted_at, ended_at, end_kind, service_agency_code, source_platform_code, source_order_id, sent_at,
    content_digest, differing, compared_journal_id, compared_line_no, received_on)
values /*row*/(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)/*end*/
