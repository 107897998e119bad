-- What this box itself costs: what was drawn and rented, interval by interval, and how much of it requests used. A request's
-- share is its attempt's cost; sums of shares and what is idle are what was metered, to the last nano-USD.

CREATE TABLE power (
  -- Counts up in the order of the intervals: clocks are set back, and an interval stays the same row while it grows.
  number INTEGER PRIMARY KEY,
  -- `box`, or a rented machine's name.
  place TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  -- Where the power's figure is from. `none`: nobody measured or stated it.
  source TEXT NOT NULL CHECK (source IN ('measured', 'stated', 'none')),
  metered_ms INTEGER NOT NULL CHECK (metered_ms >= 0),
  unknown_ms INTEGER NOT NULL CHECK (unknown_ms >= 0),
  -- Energy in milliwatt-milliseconds, of which 3,600,000,000,000 are a kilowatt-hour; the base load apart.
  milliwatt_ms INTEGER NOT NULL,
  base_milliwatt_ms INTEGER NOT NULL,
  -- Nano-USD for one kilowatt-hour; NULL: none was set.
  price_nanos INTEGER,
  energy_nanos INTEGER NOT NULL,
  base_nanos INTEGER NOT NULL,
  wear_nanos INTEGER NOT NULL,
  rent_nanos INTEGER NOT NULL,
  used_nanos INTEGER NOT NULL,
  load_nanos INTEGER NOT NULL,
  -- Shares of attempts that ended in it with a cost that is not known.
  unbooked_nanos INTEGER NOT NULL,
  CHECK (used_nanos + load_nanos <= energy_nanos + wear_nanos + rent_nanos)
) STRICT;

CREATE INDEX power_by_start ON power (from_ms);

-- What a request is for, from its client or a rule of the settings; NULL: nobody said.
ALTER TABLE requests ADD COLUMN task TEXT CHECK (length(task) BETWEEN 1 AND 64);

-- What an answer that was there already had used when it was computed: what giving it again saves. NULL: it was computed.
ALTER TABLE attempts ADD COLUMN kept_prompt_tokens INTEGER CHECK (kept_prompt_tokens >= 0);
ALTER TABLE attempts ADD COLUMN kept_completion_tokens INTEGER CHECK (kept_completion_tokens >= 0);
