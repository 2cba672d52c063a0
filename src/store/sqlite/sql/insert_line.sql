-- Purpose: lines of a journal. The marked row is repeated for each. "or fail": a slot that is taken ends the statement without undoing its
-- rows before it, for the whole transaction is rolled back anyway; to undo them alone SQLite would copy every page it touches.
-- Locks: the database's one writer. Rows: as many as given.
insert or fail into line (journal_id, line_no, platform_code, order_id, assignment_no, slot, kind, worker_id, industry_code,
    accept_area, accepted_at, ended_at, end_kind, service_agency_code, source_platform_code, source_order_id, sent_at,
    amount, premium_state, premium_reason, province_code, period, service_period, rate_id, registry_revision,
    corrects_slot, reversal_reason)
values /*row*/(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)/*end*/
