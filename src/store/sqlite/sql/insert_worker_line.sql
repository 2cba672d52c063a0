-- Purpose: lines into the index by worker. "or ignore": after a restart a fold is begun anew, and part of it stands already.
-- Locks: the database's one writer. Rows: as many as given.
insert or ignore into worker_line (worker_id, accepted_at, row_no)
values /*row*/(?, ?, ?)/*end*/
