-- Rented machines: what was meant before anything was asked for, what became of it, and what it cost.

CREATE TABLE leases (
  id INTEGER PRIMARY KEY,
  -- How the instance is found again at the market.
  label TEXT NOT NULL UNIQUE,
  market TEXT NOT NULL,
  -- NULL: nobody has confirmed one.
  instance_id TEXT,
  -- The name of the target; NULL: rented by hand.
  rental TEXT,
  state TEXT NOT NULL CHECK (state IN ('intended', 'starting', 'ready', 'interrupted', 'stopping', 'stopped', 'destroying', 'ended')),
  since_ms INTEGER NOT NULL,
  reason TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER,
  -- Everything else that is needed to go on with it, as JSON.
  record TEXT NOT NULL CHECK (json_valid(record))
) STRICT;

CREATE INDEX leases_open ON leases (id) WHERE state <> 'ended';

-- Each state a lease was in, in order. Rows are only added.
CREATE TABLE lease_events (
  id INTEGER PRIMARY KEY,
  lease INTEGER NOT NULL REFERENCES leases (id),
  at_ms INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- The market's own words then.
  words TEXT NOT NULL
) STRICT;

CREATE INDEX lease_events_by_lease ON lease_events (lease);

CREATE TABLE interruptions (
  id INTEGER PRIMARY KEY,
  lease INTEGER NOT NULL REFERENCES leases (id),
  at_ms INTEGER NOT NULL,
  cause TEXT NOT NULL CHECK (cause IN ('outbid', 'host_gone', 'preempted', 'no_answer')),
  source TEXT NOT NULL CHECK (source IN ('notice', 'poll', 'health')),
  words TEXT NOT NULL
) STRICT;

CREATE INDEX interruptions_by_lease ON interruptions (lease);

-- What a lease cost, in pieces of at most a quarter of an hour: days begin on one in every zone. Only the last piece of a lease that
-- has not ended still grows.
CREATE TABLE lease_burn (
  lease INTEGER NOT NULL REFERENCES leases (id),
  from_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL CHECK (until_ms >= from_ms),
  gpu_nanos INTEGER NOT NULL CHECK (gpu_nanos >= 0),
  storage_nanos INTEGER NOT NULL CHECK (storage_nanos >= 0),
  traffic_nanos INTEGER NOT NULL CHECK (traffic_nanos >= 0),
  -- While answers were computed there.
  used_nanos INTEGER NOT NULL CHECK (used_nanos >= 0),
  running_ms INTEGER NOT NULL,
  stopped_ms INTEGER NOT NULL,
  -- Part of running_ms: nobody knew what it did.
  unknown_ms INTEGER NOT NULL CHECK (unknown_ms <= running_ms),
  completion_tokens INTEGER NOT NULL,
  PRIMARY KEY (lease, from_ms)
) STRICT, WITHOUT ROWID;

CREATE INDEX lease_burn_by_start ON lease_burn (from_ms);
