-- Purpose: use up a request id.
-- Locks: waits for another transaction that uses the same id. Rows: one.
insert into ledger.request (request_id, call, digest, journal_id) values ($1, $2, $3, $4)
