-- Purpose: every line that the index by worker lacks.
-- Locks: the database's one writer. Rows: reads all lines.
insert or ignore into worker_line (worker_id, accepted_at, row_no)
select worker_id, accepted_at, row_no from line order by worker_id, accepted_at, row_no
