-- Purpose: runs of a kind (?1), written down in a journal (?2), with numbers below ?3 (null: any), the newest first.
-- Locks: none. Rows: at most ?4.
select * from run
where (?1 is null or kind = ?1) and (?2 is null or journal_id = ?2) and (?3 is null or run_no < ?3)
order by run_no desc
limit ?4
