-- Sums over all callers of 6 hours, 4 days and 64 days beside those of an hour, a day and 16 days. From now on the hour's are kept as requests
-- end, and the longer ones are put together from them once it is over (`roll-up.ts`): they have exactly what began before `until_hour`.

CREATE TABLE sums_rolled (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  -- Hours since 1970, UTC.
  until_hour INTEGER NOT NULL CHECK (until_hour >= 0)
) STRICT;

-- All that was folded so far is in all lengths that there were.
INSERT INTO sums_rolled
SELECT 1, max(
  coalesce((SELECT max(from_hour) + 1 FROM request_sums WHERE hours = 1 AND caller = 0 AND kind = 1), 0),
  coalesce((SELECT max(from_hour) + 1 FROM attempt_sums WHERE hours = 1 AND caller = 0), 0));

INSERT INTO request_sums (hours, caller, kind, from_hour, part, requests, done, failed, refused, aborted, interrupted, successes, said_ok,
  said_not_ok, prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
  known_nanos, known_requests, unknown_requests)
SELECT l.hours, 0, kind, from_hour - from_hour % l.hours AS hour, part, sum(requests), sum(done), sum(failed), sum(refused), sum(aborted),
  sum(interrupted), sum(successes), sum(said_ok), sum(said_not_ok), sum(prompt_tokens), sum(cached_tokens), sum(completion_tokens),
  sum(reasoning_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens), sum(known_nanos), sum(known_requests),
  sum(unknown_requests)
FROM (SELECT column1 AS hours, column2 AS of FROM (VALUES (6, 1), (96, 24), (1536, 384))) AS l
  CROSS JOIN request_sums AS s ON s.hours = l.of AND s.caller = 0
GROUP BY l.hours, kind, hour, part;

INSERT INTO attempt_sums (hours, caller, from_hour, target, attempts, prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens,
  cache_write_5m_tokens, cache_write_1h_tokens, known_nanos, known_attempts, unknown_attempts, drift_nanos)
SELECT l.hours, 0, from_hour - from_hour % l.hours AS hour, target, sum(attempts), sum(prompt_tokens), sum(cached_tokens),
  sum(completion_tokens), sum(reasoning_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens), sum(known_nanos),
  sum(known_attempts), sum(unknown_attempts), sum(drift_nanos)
FROM (SELECT column1 AS hours, column2 AS of FROM (VALUES (6, 1), (96, 24), (1536, 384))) AS l
  CROSS JOIN attempt_sums AS s ON s.hours = l.of AND s.caller = 0
GROUP BY l.hours, hour, target;
