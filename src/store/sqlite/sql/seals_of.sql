-- Purpose: the seals of these journals. The marked row is repeated for each.
-- Locks: none. Rows: one for each.
with k (journal_id) as (values /*row*/(?)/*end*/)
select s.journal_id, s.seal_no from k join seal s using (journal_id)
