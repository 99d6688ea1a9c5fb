-- Format 1 of the tables (DESIGN 3, docs/adr/0009). A change of it: a new file schema_<n>.sql that
-- leads here from the format before, the number below, and a golden file of the old one.
PRAGMA application_id = 0x44726179;  -- "Dray"
PRAGMA user_version = 1;

-- One row per job. Ids only grow, so rows are written in order. queue and type are codes, named by
-- side records. The checks are CRC-32C as row_check.h says, stored as signed 32 bits.
CREATE TABLE job (
  id         INTEGER PRIMARY KEY,
  state      INTEGER NOT NULL,  -- core::JobState
  priority   INTEGER NOT NULL,
  in_lane    INTEGER NOT NULL,  -- 1: ready, and found by its lane
  queue      INTEGER NOT NULL,
  type       INTEGER NOT NULL,
  ready_seq  INTEGER NOT NULL,
  row_check  INTEGER NOT NULL,  -- of all other columns but args
  args_check INTEGER NOT NULL,  -- of id and args
  record     BLOB NOT NULL,     -- the rest of the job, encoded
  args       BLOB NOT NULL
) STRICT;

-- What a start reads besides the lanes. Jobs in lanes come and go without touching it.
CREATE INDEX job_rest ON job (state, id) WHERE in_lane = 0;

-- What is known of the ids from 4096 * block on: the jobs in the lane (lane.h) and, of all rows
-- there, count and sum of row_check (as unsigned). A block without rows has no record.
CREATE TABLE lane (
  block      INTEGER PRIMARY KEY,
  row_count  INTEGER NOT NULL,
  row_sum    INTEGER NOT NULL,
  rest_count INTEGER NOT NULL,  -- of jobs that are in no lane
  jobs       BLOB NOT NULL,
  lane_check INTEGER NOT NULL   -- CRC-32C of all other columns
) STRICT;

-- Queues, names, tokens and whatever else is no job.
CREATE TABLE side (
  key        BLOB PRIMARY KEY,
  value      BLOB NOT NULL,
  side_check INTEGER NOT NULL   -- CRC-32C of key and value
) STRICT, WITHOUT ROWID;

-- One record, written by every flush.
CREATE TABLE meta (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  applied_seq INTEGER NOT NULL,  -- of the last journal frame that is in
  lane_count  INTEGER NOT NULL,
  row_count   INTEGER NOT NULL,  -- sums over all lanes
  row_sum     INTEGER NOT NULL,
  rest_count  INTEGER NOT NULL,
  side_count  INTEGER NOT NULL,
  side_sum    INTEGER NOT NULL,  -- of side_check, as unsigned
  meta_check  INTEGER NOT NULL   -- CRC-32C of all other columns
) STRICT;
