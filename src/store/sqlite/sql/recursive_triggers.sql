-- Purpose: whether INSERT OR REPLACE meets the delete triggers.
-- Locks: none. Rows: one.
pragma recursive_triggers
