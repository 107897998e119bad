-- What rental markets asked, by the hour: the last look of each hour that was good. Kept for a chart of a quarter.
CREATE TABLE market_prices (
  market TEXT NOT NULL,
  gpu TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('on-demand', 'bid')),
  hour_ms INTEGER NOT NULL,
  taken_at_ms INTEGER NOT NULL,
  -- Nano-USD for one hour of one machine with one such GPU, without its disk.
  least_nanos INTEGER NOT NULL CHECK (least_nanos >= 0),
  median_nanos INTEGER NOT NULL CHECK (median_nanos >= least_nanos),
  offers INTEGER NOT NULL CHECK (offers > 0),
  own_bid_nanos INTEGER CHECK (own_bid_nanos >= 0),
  PRIMARY KEY (market, gpu, kind, hour_ms)
) STRICT, WITHOUT ROWID;
