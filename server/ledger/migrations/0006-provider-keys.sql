-- Keys of providers, sealed with the box's master key. A key is for one host and is never sent to another.
CREATE TABLE provider_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  provider TEXT NOT NULL,
  host TEXT NOT NULL,
  label TEXT,
  weight INTEGER NOT NULL CHECK (weight BETWEEN 1 AND 1000),
  tail TEXT NOT NULL,
  sealed BLOB NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX provider_keys_by_provider ON provider_keys (provider);
