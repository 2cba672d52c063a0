-- Purpose: the runs that a journal begins. The marked row is repeated for each.
-- Locks: the database's one writer. Rows: one.
insert into run (run_no, journal_id, line_no, kind, registry_revision, seal_no, asked, outcome) values /*row*/(?, ?, ?, ?, ?, ?, ?, ?)/*end*/
