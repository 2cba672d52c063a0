-- Purpose: runs that have parts and no row: a merge was broken off before it told of them, or before it had taken them away.
-- Locks: none. Rows: one for each run in parts; some dozen.
with recursive in_parts (run_id) as (
    (select run_id from ledger.worker_run_part order by run_id limit 1)
    union all
    select (select p.run_id from ledger.worker_run_part p where p.run_id > i.run_id order by p.run_id limit 1)
    from in_parts i
    where i.run_id is not null
)
select i.run_id
from in_parts i
where i.run_id is not null and not exists (select from ledger.worker_run r where r.run_id = i.run_id)
