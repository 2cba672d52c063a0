-- Purpose: who used a request id.
-- Locks: none. Rows: at most one.
select call, digest, journal_id from request where request_id = ?
