-- Purpose: what is compared of lines after row ?1 up to row ?2: lines of ended orders booked in a month (?3), of a platform (?4), province (?5) and
-- industry (?6; null: all).
-- Locks: none. Rows: at most those of the stretch.
select l.platform_code, l.order_id, l.assignment_no, l.slot, l.kind, l.worker_id, l.province_code, l.industry_code, l.service_period,
       l.premium_state, l.rate_id, l.amount
from line l
where l.row_no > ?1 and l.row_no <= ?2 and l.end_kind is not null and l.period = ?3
  and (?4 is null or l.platform_code = ?4) and (?5 is null or l.province_code = ?5) and (?6 is null or l.industry_code = ?6)
