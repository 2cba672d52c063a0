-- Purpose: who used a request id.
-- Locks: none. Rows: at most one.
select call, digest, journal_id from ledger.request where request_id = $1
