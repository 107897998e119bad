-- Files that clients uploaded for batches, and batches: who made them and how far they are. Contents lie in the data folder's
-- batch/; a line's answer is in its batch's output file, and each line has a row in requests as any request has.
-- Times are epoch milliseconds.

CREATE TABLE batch_files (
  id TEXT PRIMARY KEY,
  -- As `callerId` names it; nobody else sees it.
  caller TEXT NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose IN ('batch', 'batch_output')),
  name TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX batch_files_by_expiry ON batch_files (expires_at_ms);

CREATE TABLE batches (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  caller TEXT NOT NULL,
  caller_kind TEXT NOT NULL CHECK (caller_kind IN ('key', 'keyless', 'admin')),
  key_id INTEGER REFERENCES keys (id),
  endpoint TEXT NOT NULL,
  input_file TEXT NOT NULL,
  output_file TEXT,
  error_file TEXT,
  status TEXT NOT NULL CHECK (status IN
    ('validating', 'failed', 'in_progress', 'finalizing', 'completed', 'expired', 'cancelling', 'cancelled')),
  -- JSON: what is wrong with the input file ({line, code, message}), and what the client attached.
  errors TEXT,
  metadata TEXT,
  -- JSON: what the client's headers said about where its lines may run, and the tokens of its answers.
  wishes TEXT,
  usage TEXT,
  -- How long the output and error files are kept from their making.
  output_keep_ms INTEGER NOT NULL,
  total INTEGER NOT NULL DEFAULT 0,
  completed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER,
  ended_at_ms INTEGER,
  cancelling_at_ms INTEGER
) STRICT;

CREATE INDEX batches_by_caller ON batches (caller, number);
-- The few that are not over.
CREATE INDEX batches_open ON batches (number) WHERE status IN ('validating', 'in_progress', 'finalizing', 'cancelling');
