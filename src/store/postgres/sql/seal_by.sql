-- Purpose: the last seal given by an instant ($1), 0 where there was none; null where the instant has not come yet.
-- Locks: none. Rows: one.
select case when $1 <= clock_timestamp() then coalesce(
    (select s.seal_no from ledger_read.seal s where s.sealed_at <= $1 order by s.sealed_at desc, s.seal_no desc limit 1), 0) end as seal_no
