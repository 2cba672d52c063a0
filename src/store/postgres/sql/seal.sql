-- Purpose: number the journals that wait, at most $1, in the order of their arrival, unless somebody else is at it. One statement, hence one
-- transaction that ends whether or not the client lives on. Should its snapshot be older than another's numbers, the primary key refuses it.
-- Locks: one advisory lock, never waited for; row locks on what waits, which only he takes who holds it. Rows: one; at most $1 each are moved.
with turn as materialized (
    select pg_try_advisory_xact_lock(hashtext('premium-ledger'), hashtext('seal')) as mine
), waiting as (
    delete from ledger.unsealed
    where (select mine from turn) and arrival_no in (select arrival_no from ledger.unsealed order by arrival_no limit $1)
    returning arrival_no, journal_id
), last as materialized (
    select coalesce(max(seal_no), 0) as seal_no, greatest(clock_timestamp(), max(sealed_at)) as now
    from (select seal_no, sealed_at from ledger.seal order by seal_no desc limit 1) as newest
), sealed as (
    insert into ledger.seal (seal_no, journal_id, sealed_at)
    select last.seal_no + row_number() over (order by waiting.arrival_no), waiting.journal_id, last.now
    from waiting cross join last
    returning 1
)
select count(*) as sealed from sealed
