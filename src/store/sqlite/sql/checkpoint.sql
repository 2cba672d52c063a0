-- Purpose: copies what it can of the write-ahead log into the file, and waits for nobody.
-- Locks: the checkpointer's own. Rows: one, not read.
pragma wal_checkpoint(passive)
