/**
 * Looks at what markets ask, seldom and politely, and keeps it. A look that brings nothing good changes nothing: the last good price stays,
 * with its age (S-18). Runs in the server; stopped with it.
 */
import { asFailure } from "../domain/failure.ts";
import type { Nanos } from "../domain/money.ts";
import type { Clock, Log } from "../domain/ports.ts";
import { rentKinds } from "../domain/rental/market.ts";
import { pricesOf } from "../domain/rental/prices.ts";
import type { PriceBook } from "../ledger/market-prices.ts";
import type { PriceSeries, RentalPrices } from "./desk-parts.ts";
import type { Market } from "./market.ts";

export interface PriceWatchParts {
  readonly markets: readonly Market[];
  readonly book: PriceBook;
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMs: number;
  /** Our highest bid for such a GPU there now; null: none. */
  ownBid(market: string, gpu: string): Nanos | null;
  /** 0 up to, not including, 1: boxes do not all ask at the same moment. */
  random(): number;
}

export interface PriceWatch extends RentalPrices {
  stop(): void;
}

const firstLookMs = 5_000;
const lookLimitMs = 60_000;
const longestBackOff = 6;
/** Points of one series at most: hours of a month. */
const mostPoints = 744;

export function watchPrices(parts: PriceWatchParts): PriceWatch {
  const { markets, book, clock, log, random } = parts;
  const stop = new AbortController();
  const cancels = new Map<string, () => void>();

  async function look(market: Market, failures: number): Promise<void> {
    const everyMs = Math.max(parts.everyMs, market.traits.offersEveryMs);
    let failed = failures;
    try {
      for (const kind of market.traits.bids ? rentKinds : (["on-demand"] as const)) {
        const limit = new AbortController();
        const cancel = clock.after(lookLimitMs, () => limit.abort(new Error("no answer in time")));
        try {
          const list = await market.offers({ kind, gpuCount: 1 }, AbortSignal.any([stop.signal, limit.signal]));
          book.write(pricesOf(market.id, kind, list, (gpu) => parts.ownBid(market.id, gpu)));
        } finally {
          cancel();
        }
      }
      failed = 0;
    } catch (thrown) {
      if (stop.signal.aborted) return;
      failed += 1;
      const { code, message } = asFailure(thrown);
      if (failed === 1)
        log.warn(
          { market: market.id, code, err: message },
          "what a market asks cannot be read; the last good prices stay",
        );
    }
    plan(market, failed, everyMs * 2 ** Math.min(longestBackOff, failed) * (0.9 + 0.2 * random()));
  }

  function plan(market: Market, failures: number, inMs: number): void {
    if (!stop.signal.aborted)
      cancels.set(
        market.id,
        clock.after(inMs, () => void look(market, failures)),
      );
  }

  for (const market of markets) if (market.type !== "static") plan(market, 0, firstLookMs * (1 + random()));

  return {
    history(wish) {
      const series = new Map<string, PriceSeries>();
      for (const one of book.since(wish)) {
        const key = `${one.market}\n${one.gpu}\n${one.kind}`;
        const {
          market,
          gpu,
          kind,
          takenAtMs,
          hourMs,
          leastPerHourNanos,
          medianPerHourNanos,
          offers,
          ownBidPerHourNanos,
        } = one;
        const point = { atMs: hourMs, leastPerHourNanos, medianPerHourNanos, offers, ownBidPerHourNanos };
        const points = [...(series.get(key)?.points ?? []), point].slice(-mostPoints);
        series.set(key, { market, gpu, kind, takenAtMs, points });
      }
      return [...series.values()];
    },
    stop() {
      stop.abort();
      for (const cancel of cancels.values()) cancel();
    },
  };
}
