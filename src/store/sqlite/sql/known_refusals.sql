-- Purpose: of these refusals (n, platform, day, digest, code), which are kept. The marked row is repeated for each.
-- Locks: none. Rows: at most as many as asked.
with k (n, platform_code, received_on, payload_digest, violation_code) as (values /*row*/(?, ?, ?, ?, ?)/*end*/)
select k.n from k
where exists (select 1 from refusal f
              where f.platform_code = k.platform_code and f.received_on = k.received_on
                and f.payload_digest = k.payload_digest and f.violation_code = k.violation_code)
