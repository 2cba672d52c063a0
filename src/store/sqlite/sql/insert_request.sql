-- Purpose: use up a request id.
-- Locks: the database's one writer. Rows: one.
insert into request (request_id, call, digest, journal_id) values (?, ?, ?, ?)
