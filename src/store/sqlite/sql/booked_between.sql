-- Purpose: what is compared of lines after row ?1 up to row ?2: lines of ended orders booked in a month (?3), of a platform (?4), province (?5) and
-- industry (?6; null: all). Column by column, a line each, an empty one for null: a row of the driver for each would cost more than all the rest.
-- Locks: none. Rows: one, for those of the stretch; nulls where there is none.
select group_concat(l.platform_code, char(10)) as platform_code, group_concat(l.order_id, char(10)) as order_id,
       group_concat(l.province_code, char(10)) as province_code, group_concat(l.industry_code, char(10)) as industry_code,
       group_concat(l.assignment_no, char(10)) as assignment_no, group_concat(l.slot, char(10)) as slot, group_concat(l.kind, char(10)) as kind,
       group_concat(l.premium_state, char(10)) as premium_state, group_concat(l.service_period, char(10)) as service_period,
       group_concat(coalesce(l.rate_id, ''), char(10)) as rate_id, group_concat(hex(l.worker_id), char(10)) as worker_id,
       group_concat(coalesce(l.amount, ''), char(10)) as amount
from line l
where l.row_no > ?1 and l.row_no <= ?2 and l.end_kind is not null and l.period = ?3
  and (?4 is null or l.platform_code = ?4) and (?5 is null or l.province_code = ?5) and (?6 is null or l.industry_code = ?6)
