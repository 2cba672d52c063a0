-- Purpose: what a fold of journals counts of hours. The marked row is repeated for each.
-- Locks: the database's one writer. Rows: some for each platform.
insert into hour_total (level, fold_no, platform_code, hour, accepted, ended) values /*row*/(0, ?, ?, ?, ?, ?)/*end*/
