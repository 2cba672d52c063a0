-- Purpose: the types of a line on its way, and of an array of those.
-- Locks: none. Rows: one.
select 'ledger.line_row'::regtype::oid, 'ledger.line_row[]'::regtype::oid
