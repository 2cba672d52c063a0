-- Purpose: CHARGE lines after row ?1 up to row ?2: of a platform (?3), province (?4) and industry (?5; null: all), accepted from ?6 on and
-- before ?7 (null: no end), priced before a revision (?8).
-- Locks: none. Rows: at most those of the stretch.
select l.platform_code, l.order_id, l.assignment_no, l.slot
from line l
where l.row_no > ?1 and l.row_no <= ?2 and l.kind = 2 and l.registry_revision < ?8
  and (?3 is null or l.platform_code = ?3) and (?4 is null or l.province_code = ?4) and (?5 is null or l.industry_code = ?5)
  and l.accepted_at >= ?6 and (?7 is null or l.accepted_at < ?7)
