-- Purpose: how far a stretch of journals after a seal (?1) reaches that hold at most ?2 entries; one journal at least. Null: none is sealed. A
-- journal holds at least one entry, so no more journals than entries are looked at.
-- Locks: none. Rows: one.
select max(seal_no) as seal_no
from (
    select seal_no, sum(entry_count) over (order by seal_no) as entries, row_number() over (order by seal_no) as place
    from (
        select s.seal_no, j.entry_count
        from seal s
        join journal j using (journal_id)
        where s.seal_no > ?1
        order by s.seal_no
        limit min(20000, ?2 + 1)
    ) as next
) as run
where entries <= ?2 or place = 1
