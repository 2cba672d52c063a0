-- Purpose: doubtful orders that were found. One that was found that day already is left alone. The marked row is repeated for each.
-- Locks: the database's one writer. Rows: usually few.
insert into anomaly (platform_code, found_on, kind, order_id, assignment_no, other_platform_code, other_order_id, other_assignment_no) values /*row*/(?, ?, ?, ?, ?, ?, ?, ?)/*end*/ on conflict do nothing
