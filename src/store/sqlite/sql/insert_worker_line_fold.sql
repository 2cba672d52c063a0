-- Purpose: every line up to this one stands in worker_line.
-- Locks: the database's one writer. Rows: one.
insert or ignore into worker_line_fold (through_row_no) values (?)
