-- Purpose: of the same lines, those that meet another line of their key, booked up to $2 (ledger::turnover). An ended line takes away what the OPEN's
-- key counted: told with the OPEN's columns and how often. Keys that hold corrections, or lines of two places or
-- periods, are told one by one, whatever the period: they may change another's counts. Where hours are asked for ($5), also how many OPENs of each hour
-- met the first ended line of their key.
-- Locks: none. Rows: one for each combination, one for each such key, one for each hour.
with stretch as materialized (
    select journal_id from ledger_read.seal where seal_no > $1 and seal_no <= $2
), met as (
    select l.slot, l.period, l.order_id, l.assignment_no, l.platform_code,
           case l.slot when 0 then l.province_code else o.province_code end as province_code,
           case l.slot when 0 then l.industry_code else o.industry_code end as industry_code,
           case l.slot when 0 then l.service_period else o.service_period end as service_period,
           case l.slot when 0 then l.premium_state else o.premium_state end as premium_state,
           case l.slot when 0 then l.registry_revision else o.registry_revision end as registry_revision,
           case l.slot when 0 then l.accepted_at else o.accepted_at end as opened_at,
           f.seal_no > $1 as both_here,
           l.slot > 1 or o.slot > 1 as corrected, o.period <> l.period as apart,
           o.province_code <> l.province_code or o.service_period <> l.service_period as elsewhere
    from stretch
    join ledger_read.line_of_all l using (journal_id)
    join ledger_read.line_of_all o
      on o.order_id = l.order_id and o.platform_code = l.platform_code and o.assignment_no = l.assignment_no and o.slot <> l.slot
    join ledger_read.seal f on f.journal_id = o.journal_id
    where ($3::text is null or l.platform_code = $3) and f.seal_no <= $2
), told as (
    select *, corrected or elsewhere or both_here and apart as special from met
)
select platform_code, case when special then order_id end as order_id, case when special then assignment_no end as assignment_no, period, province_code,
       industry_code, service_period, premium_state, registry_revision, null::timestamptz as hour, count(*) as pairs
from told
where special or ($4::integer is null or period = $4) and (slot = 1 or not both_here)
group by 1, 2, 3, 4, 5, 6, 7, 8, 9
union all
select platform_code, null, null, null, null, null, null, null, null, date_bin('1 hour', opened_at, 'epoch'), count(*)
from told
where $5 and not corrected and (slot = 1 or not both_here)
group by 1, 10
