-- Purpose: how commits become durable: the journal.
-- Locks: none. Rows: one.
pragma journal_mode
