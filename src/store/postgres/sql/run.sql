-- Purpose: runs of a kind ($1), written down in a journal ($2), with numbers below $3 (null: any), the newest first.
-- Locks: none. Rows: at most $4.
select * from ledger_read.run
where ($1::smallint is null or kind = $1) and ($2::bigint is null or journal_id = $2) and ($3::integer is null or run_no < $3)
order by run_no desc
limit $4
