-- Purpose: the newest committed journal that waits for its seal. Null: none.
-- Locks: none. Rows: one.
select max(arrival_no) as arrival_no from ledger.unsealed
