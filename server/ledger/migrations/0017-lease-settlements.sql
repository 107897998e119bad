-- What a market has billed for one lease and one day (UTC) that is over: it counts instead of what was counted.

CREATE TABLE lease_settlements (
  lease INTEGER NOT NULL REFERENCES leases (id),
  -- `2026-11-26`.
  day TEXT NOT NULL CHECK (length(day) = 10),
  -- The sum of the day's pieces in lease_burn, which are not touched: kept here so that it need not be added up each time.
  counted_nanos INTEGER NOT NULL CHECK (counted_nanos >= 0),
  -- By the newest bill.
  billed_nanos INTEGER NOT NULL CHECK (billed_nanos >= 0),
  -- When the bill said so last that is other than before.
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (lease, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX lease_settlements_by_day ON lease_settlements (day);
