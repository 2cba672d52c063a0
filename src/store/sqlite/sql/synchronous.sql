-- Purpose: how commits become durable: 2 is FULL, 3 is EXTRA.
-- Locks: none. Rows: one.
pragma synchronous
