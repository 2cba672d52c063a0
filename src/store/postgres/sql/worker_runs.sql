-- Purpose: where a worker's ($1) orders accepted in a range ($2, $3) are found: whole runs by their id, the parts of others that can hold him
-- (the last that begins before him, and those that begin with him), and the orders of kept conflicts; and the newest reports of platforms ($5).
-- $4 bounds the rows.
-- Locks: none. Rows: a few for each run of that time; a worker's conflicts of a month; one for each platform.
(select r.run_id, r.orders, p.entries, null::timestamptz as accepted_at, null::text as platform_code, null::text as order_id,
        null::smallint as assignment_no, null::bigint as report_no, null::timestamptz as watermark, null::timestamptz as recorded_at
 from ledger_read.worker_run r
 cross join lateral (
     select null::bytea as entries where r.level = 0
     union all
     (select b.entries from ledger_read.worker_run_part b
      where r.level > 0 and b.run_id = r.run_id and (b.first_worker, b.first_accepted) < ($1, $2)
      order by b.run_id desc, b.first_worker desc, b.first_accepted desc, b.part_no desc limit 1)
     union all
     (select w.entries from ledger_read.worker_run_part w
      where r.level > 0 and w.run_id = r.run_id and w.first_worker = $1 and w.first_accepted between $2 and $3
      limit $4)
 ) as p
 where r.first_accepted <= $3 and r.last_accepted >= $2
 limit $4)
union all
(select null, null, null, c.accepted_at, c.platform_code, c.order_id, c.assignment_no, null, null, null
 from ledger_read.conflict c
 where c.worker_id = $1 and c.accepted_at between $2 and $3
 limit $4)
union all
(select null, null, null, null, w.platform_code, null, null, w.report_no, w.watermark, w.recorded_at
 from ledger_read.newest_watermark w
 where w.platform_code = any($5::text[]))
limit $4
