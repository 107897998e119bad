-- The first schema: who may ask (keys), what was asked (requests) and how it was tried (attempts).
-- Times are epoch milliseconds or durations in milliseconds; costs are nano-USD. An unknown cost is NULL with the reason
-- in cost_basis, never 0. A row is 'open' until it ends; after that its cost_basis says what the cost rests on.

CREATE TABLE keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('inference', 'admin')),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  label TEXT CHECK (length(label) BETWEEN 1 AND 100),
  -- SHA-256 of a secret of 256 random bits; the secret itself is nowhere.
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  tail TEXT NOT NULL CHECK (length(tail) = 4),
  created_at_ms INTEGER NOT NULL,
  last_used_at_ms INTEGER,
  revoked_at_ms INTEGER
) STRICT;

CREATE TABLE requests (
  -- Counts up in the order of opening; attempts refer to it because it is small and grows at the end of the tree.
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  started_at_ms INTEGER NOT NULL,
  caller_kind TEXT NOT NULL CHECK (caller_kind IN ('key', 'keyless', 'admin')),
  key_id INTEGER REFERENCES keys (id),
  caller_name TEXT NOT NULL,
  dialect TEXT NOT NULL,
  alias TEXT NOT NULL,
  stream INTEGER NOT NULL CHECK (stream IN (0, 1)),
  status TEXT NOT NULL DEFAULT 'open'
    CHECK (status IN ('open', 'done', 'failed', 'refused', 'aborted', 'interrupted')),
  finish_reason TEXT,
  failure_code TEXT,
  duration_ms INTEGER,
  ttft_ms INTEGER,
  prompt_tokens INTEGER NOT NULL DEFAULT 0,
  cached_tokens INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0,
  queue_ms INTEGER NOT NULL DEFAULT 0,
  load_ms INTEGER NOT NULL DEFAULT 0,
  prefill_ms INTEGER NOT NULL DEFAULT 0,
  decode_ms INTEGER NOT NULL DEFAULT 0,
  cost_nanos INTEGER,
  cost_basis TEXT CHECK (cost_basis IN ('measured', 'estimated', 'billed', 'not_priced')),
  CHECK ((cost_basis IS NULL) = (status = 'open')),
  CHECK ((cost_nanos IS NULL) = (cost_basis IS NULL OR cost_basis = 'not_priced'))
) STRICT;

CREATE INDEX requests_by_start ON requests (started_at_ms);
-- Holds a handful of entries at any time: what a killed process left open is found without reading the table.
CREATE INDEX requests_open ON requests (number) WHERE status = 'open';

CREATE TABLE attempts (
  request INTEGER NOT NULL REFERENCES requests (number),
  -- 1 for the first try.
  number INTEGER NOT NULL CHECK (number >= 1),
  target TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- After the request began.
  offset_ms INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'failed', 'aborted', 'interrupted')),
  failure_code TEXT,
  duration_ms INTEGER,
  prompt_tokens INTEGER NOT NULL DEFAULT 0,
  cached_tokens INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0,
  queue_ms INTEGER NOT NULL DEFAULT 0,
  load_ms INTEGER NOT NULL DEFAULT 0,
  prefill_ms INTEGER NOT NULL DEFAULT 0,
  decode_ms INTEGER NOT NULL DEFAULT 0,
  cost_nanos INTEGER,
  cost_basis TEXT CHECK (cost_basis IN ('measured', 'estimated', 'billed', 'not_priced')),
  PRIMARY KEY (request, number),
  CHECK ((cost_basis IS NULL) = (status = 'open')),
  CHECK ((cost_nanos IS NULL) = (cost_basis IS NULL OR cost_basis = 'not_priced'))
) STRICT, WITHOUT ROWID;
