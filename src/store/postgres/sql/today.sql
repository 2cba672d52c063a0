-- Purpose: today in Asia/Shanghai by the database's clock; +08:00 has no other rule for the ledger's years.
-- Locks: none. Rows: one.
select (clock_timestamp() at time zone interval '8 hours')::date as today
