-- Purpose: the orders in whole runs ($1), as far as those were not merged meanwhile. Of one worker ($2) accepted in a range ($3, $4), or,
-- where $2 is null, of all. At most $5. A journal has at most 4,194,304 entries; lateral with a limit as in lines_of.
-- Locks: none. Rows: a few; or all orders of the runs.
select r.run_id, l.worker_id, l.accepted_at, l.platform_code, l.order_id, l.assignment_no
from ledger_read.worker_run r
cross join lateral (
    select o.worker_id, o.accepted_at, o.platform_code, o.order_id, o.assignment_no
    from unnest(r.journals) as j (id)
    cross join lateral (select * from ledger_read.line_of_journal v
        where v.journal_id = j.id and ($2::uuid is null or (v.worker_id = $2 and v.accepted_at between $3 and $4))
        limit 4194304) as o
) as l
where r.run_id = any($1) and r.level = 0
limit $5
