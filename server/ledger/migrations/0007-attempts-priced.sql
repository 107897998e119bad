-- Each attempt is priced: what it cost, what that rests on, and the upstream's own words. A request's cost is the sum of its
-- attempts: known only when all of theirs are; `known_nanos` is the sum of those that are, whatever the others may be.
-- Both tables are built anew, because a CHECK cannot be changed in place. Foreign keys are off meanwhile (`open.ts`).

ALTER TABLE keys ADD COLUMN requests_per_minute INTEGER CHECK (requests_per_minute >= 0);
ALTER TABLE keys ADD COLUMN tokens_per_minute INTEGER CHECK (tokens_per_minute >= 0);
ALTER TABLE keys ADD COLUMN concurrent INTEGER CHECK (concurrent >= 0);
-- Who waits for a limit with a higher one is let in first.
ALTER TABLE keys ADD COLUMN priority INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100);

CREATE TABLE requests_new (
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
  cost_basis TEXT CHECK (cost_basis IN ('measured', 'estimated', 'billed', 'not_priced', 'unknown_price')),
  notes TEXT CHECK (notes IS NULL OR json_valid(notes)),
  cache_write_5m_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_1h_tokens INTEGER NOT NULL DEFAULT 0,
  known_nanos INTEGER NOT NULL DEFAULT 0,
  -- Attempts whose cost is not known.
  unknown_attempts INTEGER NOT NULL DEFAULT 0 CHECK (unknown_attempts >= 0),
  -- What the router decided and why, as JSON; NULL: it was not planned.
  plan TEXT CHECK (plan IS NULL OR json_valid(plan)),
  CHECK ((cost_basis IS NULL) = (status = 'open')),
  CHECK ((cost_nanos IS NULL) = (cost_basis IS NULL OR cost_basis IN ('not_priced', 'unknown_price'))),
  CHECK (cost_nanos IS NULL OR (cost_nanos = known_nanos AND unknown_attempts = 0))
) STRICT;

INSERT INTO requests_new (
  number, id, started_at_ms, caller_kind, key_id, caller_name, dialect, alias, stream, status, finish_reason,
  failure_code, duration_ms, ttft_ms, prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens, queue_ms,
  load_ms, prefill_ms, decode_ms, cost_nanos, cost_basis, notes, known_nanos, unknown_attempts
)
SELECT
  number, id, started_at_ms, caller_kind, key_id, caller_name, dialect, alias, stream, status, finish_reason,
  failure_code, duration_ms, ttft_ms, prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens, queue_ms,
  load_ms, prefill_ms, decode_ms, cost_nanos, cost_basis, notes, coalesce(cost_nanos, 0),
  CASE WHEN cost_nanos IS NULL THEN
    (SELECT count(*) FROM attempts WHERE request = requests.number AND status <> 'open' AND cost_nanos IS NULL)
  ELSE 0 END
FROM requests;

CREATE TABLE attempts_new (
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
  cost_basis TEXT CHECK (cost_basis IN ('measured', 'estimated', 'billed', 'not_priced', 'unknown_price')),
  cache_write_5m_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_1h_tokens INTEGER NOT NULL DEFAULT 0,
  audio_prompt_tokens INTEGER NOT NULL DEFAULT 0,
  audio_cached_tokens INTEGER NOT NULL DEFAULT 0,
  audio_completion_tokens INTEGER NOT NULL DEFAULT 0,
  -- Whose machine it ran on and what the model is called there; NULL: this box's own.
  provider TEXT,
  upstream_model TEXT,
  upstream_request_id TEXT,
  service_tier TEXT,
  -- What the price book says, what the provider said, and the second minus the first.
  computed_nanos INTEGER,
  reported_nanos INTEGER,
  drift_nanos INTEGER,
  price_id TEXT,
  -- How the sum was reached: a JSON list of {what, count, picosEach: {numerator, denominator}}.
  price_parts TEXT CHECK (price_parts IS NULL OR json_valid(price_parts)),
  -- What a person should know about the figures: a JSON list of codes.
  flags TEXT CHECK (flags IS NULL OR json_valid(flags)),
  -- The upstream's usage object: figures and short words, nothing of a prompt.
  raw_usage TEXT CHECK (raw_usage IS NULL OR json_valid(raw_usage)),
  -- Set aside for it when it began: what it is booked at when a killed process left it open. NULL: nothing was.
  held_nanos INTEGER CHECK (held_nanos >= 0),
  PRIMARY KEY (request, number),
  CHECK ((cost_basis IS NULL) = (status = 'open')),
  CHECK ((cost_nanos IS NULL) = (cost_basis IS NULL OR cost_basis IN ('not_priced', 'unknown_price'))),
  CHECK ((provider IS NULL) = (upstream_model IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO attempts_new (
  request, number, target, reason, offset_ms, status, failure_code, duration_ms, prompt_tokens, cached_tokens,
  completion_tokens, reasoning_tokens, queue_ms, load_ms, prefill_ms, decode_ms, cost_nanos, cost_basis
)
SELECT
  request, number, target, reason, offset_ms, status, failure_code, duration_ms, prompt_tokens, cached_tokens,
  completion_tokens, reasoning_tokens, queue_ms, load_ms, prefill_ms, decode_ms, cost_nanos, cost_basis
FROM attempts;

DROP TABLE attempts;
DROP TABLE requests;
ALTER TABLE requests_new RENAME TO requests;
ALTER TABLE attempts_new RENAME TO attempts;

CREATE INDEX requests_by_start ON requests (started_at_ms);
-- Holds a handful of entries at any time: what a killed process left open is found without reading the table.
CREATE INDEX requests_open ON requests (number) WHERE status = 'open';
