-- Purpose: epoch of the newest freeze; in the writer's transaction it stays.
-- Locks: none of its own. Rows: one.
select coalesce(max(epoch), 0) as epoch from calendar_entry where step = 1
