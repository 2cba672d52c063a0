-- Purpose: whether a committed journal up to an arrival ($1) waits for its seal.
-- Locks: none. Rows: one.
select exists (select from ledger.unsealed where arrival_no <= $1) as waits
