-- How every connection to the tables is set up. Measured in docs/adr/0009.
PRAGMA page_size = 16384;
PRAGMA auto_vacuum = INCREMENTAL;  -- So that a drained file can shrink.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 0;  -- Each flush ends with a checkpoint of its own.
PRAGMA secure_delete = 0;
PRAGMA cache_size = -16384;     -- KiB
PRAGMA mmap_size = 0;
PRAGMA temp_store = 2;          -- In memory.
