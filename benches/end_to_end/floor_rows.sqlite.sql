select journal_id, line_no, platform_code, order_id, assignment_no, slot, kind, hex(worker_id), industry_code, accept_area, accepted_at,
    ended_at, end_kind, service_agency_code, source_platform_code, source_order_id, sent_at, amount, premium_state, premium_reason,
    province_code, period, service_period, rate_id, registry_revision, corrects_slot, reversal_reason
from line order by sent_at
