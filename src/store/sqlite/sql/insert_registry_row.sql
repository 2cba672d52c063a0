-- Purpose: registry rows of a journal. The marked row is repeated for each.
-- Locks: the database's one writer. Rows: one, or all seeds.
insert into registry_row (row_id, journal_id, line_no, kind, name, platform_code, province_code, industry_code, value,
    base, factor, valid_from, valid_to, document, confidence, supersedes)
values /*row*/(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)/*end*/
