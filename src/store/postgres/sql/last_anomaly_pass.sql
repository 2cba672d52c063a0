-- Purpose: how far journals were looked through for doubtful orders.
-- Locks: none. Rows: one or none.
select pass_no, seal_no from ledger_read.anomaly_pass order by pass_no desc limit 1
