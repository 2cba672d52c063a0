-- Purpose: of these refusals of a day ($4), which are kept; $1..$3 are parallel arrays.
-- Locks: none. Rows: at most as many as asked.
select k.n
from unnest($1::text[], $2::bytea[], $3::smallint[]) with ordinality as k (platform_code, payload_digest, violation_code, n)
where exists (select from ledger.refusal f
              where f.platform_code = k.platform_code and f.received_on = $4
                and f.payload_digest = k.payload_digest and f.violation_code = k.violation_code)
