-- Purpose: refusals of a journal. The marked row is repeated for each.
-- Locks: the database's one writer. Rows: as many as given.
insert into refusal (journal_id, line_no, platform_code, payload_digest, violation_code, field, payload, payload_size,
    received_on)
values /*row*/(?, ?, ?, ?, ?, ?, ?, ?, ?)/*end*/
