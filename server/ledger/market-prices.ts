/** What rental markets asked, in the ledger's file. Runs on the server's thread: some rows per market and look. */
import type Database from "better-sqlite3";
import type { SeenPrice } from "../domain/rental/prices.ts";

export interface PriceBook {
  /** Takes the place of an earlier look of the same hour. */
  write(prices: readonly SeenPrice[]): void;
  /** Oldest first. */
  since(wish: { readonly market: string | null; readonly sinceMs: number }): readonly SeenPrice[];
}

const keptMs = 92 * 86_400_000;

export function createPriceBook(database: Database.Database): PriceBook {
  const put = database.prepare(
    `INSERT OR REPLACE INTO market_prices
       (market, gpu, kind, hour_ms, taken_at_ms, least_nanos, median_nanos, offers, own_bid_nanos)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const forget = database.prepare("DELETE FROM market_prices WHERE hour_ms < ?");
  const read = database.prepare<[object], SeenPrice>(
    `SELECT market, gpu, kind, hour_ms AS hourMs, taken_at_ms AS takenAtMs, least_nanos AS leastPerHourNanos,
       median_nanos AS medianPerHourNanos, offers, own_bid_nanos AS ownBidPerHourNanos
     FROM market_prices
     WHERE hour_ms >= $sinceMs AND ($market IS NULL OR market = $market)
     ORDER BY market, gpu, kind, hour_ms`,
  );
  const write = database.transaction((prices: readonly SeenPrice[]) => {
    for (const one of prices) {
      put.run(
        ...[one.market, one.gpu, one.kind, one.hourMs, Math.round(one.takenAtMs)],
        ...[one.leastPerHourNanos, one.medianPerHourNanos, one.offers, one.ownBidPerHourNanos],
      );
    }
    const latest = prices[0]?.hourMs;
    if (latest !== undefined) forget.run(latest - keptMs);
  });
  return {
    write: (prices) => write.immediate(prices),
    since: ({ market, sinceMs }) => read.all({ market, sinceMs }),
  };
}
