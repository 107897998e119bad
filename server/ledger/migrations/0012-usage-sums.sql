-- Sums of all that has ended, by hour, by day and by 16 days, so that a report about a year reads thousands of rows and not
-- millions, and is still right when the single rows are gone.
--
-- Whatever ends, is corrected or removed leaves a change, written by triggers in the same transaction as the row, whoever
-- writes it. `fold.ts` adds changes to the sums, a few at a time, and removes them in the same transaction. So sums and
-- changes together are always the sum of the rows, also after a kill; reports read both. What is still open is in neither:
-- it is a handful, found through the indexes of what is open.

CREATE TABLE request_changes (
  id INTEGER PRIMARY KEY,
  -- 1: this request came to be so; -1: it is so no longer.
  sign INTEGER NOT NULL CHECK (sign IN (1, -1)),
  -- What its caller said of the answer (feedback.ok).
  said INTEGER,
  started_at_ms INTEGER NOT NULL,
  caller_kind TEXT NOT NULL,
  key_id INTEGER,
  caller_name TEXT NOT NULL,
  alias TEXT NOT NULL,
  status TEXT NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  cache_write_5m_tokens INTEGER NOT NULL,
  cache_write_1h_tokens INTEGER NOT NULL,
  cost_nanos INTEGER,
  cost_basis TEXT NOT NULL,
  known_nanos INTEGER NOT NULL
) STRICT;

CREATE TABLE attempt_changes (
  id INTEGER PRIMARY KEY,
  sign INTEGER NOT NULL CHECK (sign IN (1, -1)),
  -- Of its request.
  started_at_ms INTEGER NOT NULL,
  caller_kind TEXT NOT NULL,
  key_id INTEGER,
  caller_name TEXT NOT NULL,
  target TEXT NOT NULL,
  provider TEXT,
  prompt_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  cache_write_5m_tokens INTEGER NOT NULL,
  cache_write_1h_tokens INTEGER NOT NULL,
  cost_nanos INTEGER,
  cost_basis TEXT NOT NULL,
  drift_nanos INTEGER
) STRICT;

-- Who and what the sums are about. Absent is 0 and '', because two NULLs are never the same.
CREATE TABLE sum_callers (
  id INTEGER PRIMARY KEY,
  caller_kind TEXT NOT NULL,
  key_id INTEGER NOT NULL,
  caller_name TEXT NOT NULL,
  UNIQUE (key_id, caller_kind, caller_name)
) STRICT;

CREATE TABLE sum_aliases (
  id INTEGER PRIMARY KEY,
  alias TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE sum_targets (
  id INTEGER PRIMARY KEY,
  target TEXT NOT NULL,
  provider TEXT NOT NULL,
  UNIQUE (target, provider)
) STRICT;

-- In the order that a report reads them and that they are written in: what belongs to one time lies together.
CREATE TABLE request_sums (
  -- Length of the time summed over: 1, 24 or 384 hours, from a multiple of it on.
  hours INTEGER NOT NULL,
  -- 0: of all callers. Else a sum_callers.id, and not by the hour: those would be about as many as the rows.
  caller INTEGER NOT NULL,
  -- What `part` is. 1: sum_aliases.id; 2: sum_callers.id. Either way the parts add up to all there is.
  kind INTEGER NOT NULL,
  -- Hours since 1970, UTC.
  from_hour INTEGER NOT NULL,
  part INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  done INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  aborted INTEGER NOT NULL,
  interrupted INTEGER NOT NULL,
  -- Done, and nobody said that it did not do.
  successes INTEGER NOT NULL,
  said_ok INTEGER NOT NULL,
  said_not_ok INTEGER NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  cache_write_5m_tokens INTEGER NOT NULL,
  cache_write_1h_tokens INTEGER NOT NULL,
  known_nanos INTEGER NOT NULL,
  known_requests INTEGER NOT NULL,
  unknown_requests INTEGER NOT NULL,
  PRIMARY KEY (hours, caller, kind, from_hour, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt_sums (
  hours INTEGER NOT NULL,
  caller INTEGER NOT NULL,
  from_hour INTEGER NOT NULL,
  -- sum_targets.id.
  target INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  cache_write_5m_tokens INTEGER NOT NULL,
  cache_write_1h_tokens INTEGER NOT NULL,
  known_nanos INTEGER NOT NULL,
  known_attempts INTEGER NOT NULL,
  unknown_attempts INTEGER NOT NULL,
  drift_nanos INTEGER NOT NULL,
  PRIMARY KEY (hours, caller, from_hour, target)
) STRICT, WITHOUT ROWID;

-- Requests that began before this moment may be gone, while their sums stay. A whole day (UTC); 0: nothing was ever removed.
CREATE TABLE rows_kept (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  from_ms INTEGER NOT NULL CHECK (from_ms % 86400000 = 0)
) STRICT;
INSERT INTO rows_kept VALUES (1, 0);

-- Lists and exports read newest or oldest first from here, by key too. An index ends with the row's number.
CREATE INDEX requests_by_key ON requests (key_id, started_at_ms) WHERE key_id IS NOT NULL;
CREATE INDEX attempts_open ON attempts (request, number) WHERE status = 'open';

CREATE TRIGGER request_stays BEFORE UPDATE OF started_at_ms, caller_kind, key_id, caller_name ON requests
WHEN (OLD.started_at_ms, OLD.caller_kind, OLD.key_id, OLD.caller_name)
  IS NOT (NEW.started_at_ms, NEW.caller_kind, NEW.key_id, NEW.caller_name)
BEGIN
  SELECT RAISE(ABORT, 'who asked, and when, does not change');
END;

CREATE TRIGGER request_ended AFTER UPDATE ON requests WHEN OLD.status = 'open' AND NEW.status <> 'open'
BEGIN
  INSERT INTO request_changes (sign, said, started_at_ms, caller_kind, key_id, caller_name, alias, status, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    known_nanos)
  VALUES (1, (SELECT ok FROM feedback WHERE request = NEW.number), NEW.started_at_ms, NEW.caller_kind, NEW.key_id,
    NEW.caller_name, NEW.alias, NEW.status, NEW.prompt_tokens, NEW.cached_tokens, NEW.completion_tokens,
    NEW.reasoning_tokens, NEW.cache_write_5m_tokens, NEW.cache_write_1h_tokens, NEW.cost_nanos, NEW.cost_basis,
    NEW.known_nanos);
END;

CREATE TRIGGER request_added AFTER INSERT ON requests WHEN NEW.status <> 'open'
BEGIN
  INSERT INTO request_changes (sign, said, started_at_ms, caller_kind, key_id, caller_name, alias, status, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    known_nanos)
  VALUES (1, (SELECT ok FROM feedback WHERE request = NEW.number), NEW.started_at_ms, NEW.caller_kind, NEW.key_id,
    NEW.caller_name, NEW.alias, NEW.status, NEW.prompt_tokens, NEW.cached_tokens, NEW.completion_tokens,
    NEW.reasoning_tokens, NEW.cache_write_5m_tokens, NEW.cache_write_1h_tokens, NEW.cost_nanos, NEW.cost_basis,
    NEW.known_nanos);
END;

CREATE TRIGGER request_corrected AFTER UPDATE ON requests WHEN OLD.status <> 'open'
BEGIN
  INSERT INTO request_changes (sign, said, started_at_ms, caller_kind, key_id, caller_name, alias, status, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    known_nanos)
  SELECT -1, (SELECT ok FROM feedback WHERE request = OLD.number), OLD.started_at_ms, OLD.caller_kind, OLD.key_id,
    OLD.caller_name, OLD.alias, OLD.status, OLD.prompt_tokens, OLD.cached_tokens, OLD.completion_tokens,
    OLD.reasoning_tokens, OLD.cache_write_5m_tokens, OLD.cache_write_1h_tokens, OLD.cost_nanos, OLD.cost_basis,
    OLD.known_nanos
  UNION ALL
  SELECT 1, (SELECT ok FROM feedback WHERE request = NEW.number), NEW.started_at_ms, NEW.caller_kind, NEW.key_id,
    NEW.caller_name, NEW.alias, NEW.status, NEW.prompt_tokens, NEW.cached_tokens, NEW.completion_tokens,
    NEW.reasoning_tokens, NEW.cache_write_5m_tokens, NEW.cache_write_1h_tokens, NEW.cost_nanos, NEW.cost_basis,
    NEW.known_nanos
  WHERE NEW.status <> 'open';
END;

-- What goes because its time is over stays in the sums.
CREATE TRIGGER request_removed AFTER DELETE ON requests
WHEN OLD.status <> 'open' AND OLD.started_at_ms >= (SELECT from_ms FROM rows_kept)
BEGIN
  INSERT INTO request_changes (sign, said, started_at_ms, caller_kind, key_id, caller_name, alias, status, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    known_nanos)
  VALUES (-1, (SELECT ok FROM feedback WHERE request = OLD.number), OLD.started_at_ms, OLD.caller_kind, OLD.key_id,
    OLD.caller_name, OLD.alias, OLD.status, OLD.prompt_tokens, OLD.cached_tokens, OLD.completion_tokens,
    OLD.reasoning_tokens, OLD.cache_write_5m_tokens, OLD.cache_write_1h_tokens, OLD.cost_nanos, OLD.cost_basis,
    OLD.known_nanos);
END;

-- Feedback changes what a request is counted as: it was so without it, and is so with it.
CREATE TRIGGER feedback_given AFTER INSERT ON feedback
BEGIN
  INSERT INTO request_changes (sign, said, started_at_ms, caller_kind, key_id, caller_name, alias, status, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    known_nanos)
  SELECT turn.sign, turn.said, started_at_ms, caller_kind, key_id, caller_name, alias, status, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    known_nanos
  FROM requests, (SELECT -1 AS sign, NULL AS said UNION ALL SELECT 1, NEW.ok) AS turn
  WHERE number = NEW.request AND status <> 'open';
END;

CREATE TRIGGER feedback_changed AFTER UPDATE ON feedback
BEGIN
  INSERT INTO request_changes (sign, said, started_at_ms, caller_kind, key_id, caller_name, alias, status, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    known_nanos)
  SELECT turn.sign, turn.said, started_at_ms, caller_kind, key_id, caller_name, alias, status, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    known_nanos
  FROM requests, (SELECT -1 AS sign, OLD.ok AS said UNION ALL SELECT 1, NEW.ok) AS turn
  WHERE number = NEW.request AND status <> 'open';
END;

CREATE TRIGGER feedback_removed AFTER DELETE ON feedback
BEGIN
  INSERT INTO request_changes (sign, said, started_at_ms, caller_kind, key_id, caller_name, alias, status, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    known_nanos)
  SELECT turn.sign, turn.said, started_at_ms, caller_kind, key_id, caller_name, alias, status, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    known_nanos
  FROM requests, (SELECT -1 AS sign, OLD.ok AS said UNION ALL SELECT 1, NULL) AS turn
  WHERE number = OLD.request AND status <> 'open' AND started_at_ms >= (SELECT from_ms FROM rows_kept);
END;

CREATE TRIGGER attempt_ended AFTER UPDATE ON attempts WHEN OLD.status = 'open' AND NEW.status <> 'open'
BEGIN
  INSERT INTO attempt_changes (sign, started_at_ms, caller_kind, key_id, caller_name, target, provider, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    drift_nanos)
  SELECT 1, started_at_ms, caller_kind, key_id, caller_name, NEW.target, NEW.provider, NEW.prompt_tokens,
    NEW.cached_tokens, NEW.completion_tokens, NEW.reasoning_tokens, NEW.cache_write_5m_tokens, NEW.cache_write_1h_tokens,
    NEW.cost_nanos, NEW.cost_basis, NEW.drift_nanos
  FROM requests WHERE number = NEW.request;
END;

CREATE TRIGGER attempt_added AFTER INSERT ON attempts WHEN NEW.status <> 'open'
BEGIN
  INSERT INTO attempt_changes (sign, started_at_ms, caller_kind, key_id, caller_name, target, provider, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    drift_nanos)
  SELECT 1, started_at_ms, caller_kind, key_id, caller_name, NEW.target, NEW.provider, NEW.prompt_tokens,
    NEW.cached_tokens, NEW.completion_tokens, NEW.reasoning_tokens, NEW.cache_write_5m_tokens, NEW.cache_write_1h_tokens,
    NEW.cost_nanos, NEW.cost_basis, NEW.drift_nanos
  FROM requests WHERE number = NEW.request;
END;

CREATE TRIGGER attempt_corrected AFTER UPDATE ON attempts WHEN OLD.status <> 'open'
BEGIN
  INSERT INTO attempt_changes (sign, started_at_ms, caller_kind, key_id, caller_name, target, provider, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    drift_nanos)
  SELECT -1, started_at_ms, caller_kind, key_id, caller_name, OLD.target, OLD.provider, OLD.prompt_tokens,
    OLD.cached_tokens, OLD.completion_tokens, OLD.reasoning_tokens, OLD.cache_write_5m_tokens, OLD.cache_write_1h_tokens,
    OLD.cost_nanos, OLD.cost_basis, OLD.drift_nanos
  FROM requests WHERE number = OLD.request
  UNION ALL
  SELECT 1, started_at_ms, caller_kind, key_id, caller_name, NEW.target, NEW.provider, NEW.prompt_tokens,
    NEW.cached_tokens, NEW.completion_tokens, NEW.reasoning_tokens, NEW.cache_write_5m_tokens, NEW.cache_write_1h_tokens,
    NEW.cost_nanos, NEW.cost_basis, NEW.drift_nanos
  FROM requests WHERE number = NEW.request AND NEW.status <> 'open';
END;

CREATE TRIGGER attempt_removed AFTER DELETE ON attempts WHEN OLD.status <> 'open'
BEGIN
  INSERT INTO attempt_changes (sign, started_at_ms, caller_kind, key_id, caller_name, target, provider, prompt_tokens,
    cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
    drift_nanos)
  SELECT -1, started_at_ms, caller_kind, key_id, caller_name, OLD.target, OLD.provider, OLD.prompt_tokens,
    OLD.cached_tokens, OLD.completion_tokens, OLD.reasoning_tokens, OLD.cache_write_5m_tokens, OLD.cache_write_1h_tokens,
    OLD.cost_nanos, OLD.cost_basis, OLD.drift_nanos
  FROM requests WHERE number = OLD.request AND started_at_ms >= (SELECT from_ms FROM rows_kept);
END;

-- What the file holds already is summed like what comes.
INSERT INTO request_changes (sign, said, started_at_ms, caller_kind, key_id, caller_name, alias, status, prompt_tokens,
  cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
  known_nanos)
SELECT 1, (SELECT ok FROM feedback WHERE request = number), started_at_ms, caller_kind, key_id, caller_name, alias, status,
  prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
  cost_nanos, cost_basis, known_nanos
FROM requests WHERE status <> 'open';

INSERT INTO attempt_changes (sign, started_at_ms, caller_kind, key_id, caller_name, target, provider, prompt_tokens,
  cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos, cost_basis,
  drift_nanos)
SELECT 1, r.started_at_ms, r.caller_kind, r.key_id, r.caller_name, a.target, a.provider, a.prompt_tokens, a.cached_tokens,
  a.completion_tokens, a.reasoning_tokens, a.cache_write_5m_tokens, a.cache_write_1h_tokens, a.cost_nanos, a.cost_basis,
  a.drift_nanos
FROM attempts AS a JOIN requests AS r ON r.number = a.request WHERE a.status <> 'open';
