-- Purpose: between which rows the lines stand that were booked after a seal (?1, 0: from the first) up to another (?2).
-- Locks: none. Rows: one.
select coalesce((select through_row_no from seal where seal_no = ?1), 0) as after_row_no,
       coalesce((select through_row_no from seal where seal_no = ?2), 0) as through_row_no
