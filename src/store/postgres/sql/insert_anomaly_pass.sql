-- Purpose: journals were looked through up to a seal ($2), as pass $1, on a day ($3).
-- Locks: the row. Rows: one.
insert into ledger.anomaly_pass (pass_no, seal_no, passed_on) values ($1, $2, $3)
