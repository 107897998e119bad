/**
 * Has the days of leases settled by what their markets bill, once a day and soon after the start. Asks only markets where days of ours are
 * open that should be billed by now; one that does not answer is asked again at growing distances. Runs in the server, ends with it.
 */
import { asFailure, Failure } from "../domain/failure.ts";
import type { Clock, Log } from "../domain/ports.ts";
import { settleSpan } from "../domain/rental/bill-verdict.ts";
import type { LeaseBook } from "../ledger/leases.ts";
import type { RentalBills } from "./desk-parts.ts";
import type { Market } from "./market.ts";

export interface BillSettlerParts {
  readonly bills: Pick<RentalBills, "settle">;
  readonly markets: readonly Pick<Market, "id" | "traits">[];
  readonly book: Pick<LeaseBook, "unsettledDays">;
  readonly clock: Clock;
  readonly log: Log;
}

const firstMs = 60_000;
const everyMs = 24 * 3_600_000;
/** After a failure: ten minutes, doubled up to six hours. */
const retryMs = 600_000;
const longestRetryMs = 6 * 3_600_000;
/** Longest time one bill may take, with all its pages and days. */
const limitMs = 300_000;

/** The returned function ends it. */
export function startBillSettler({ bills, markets, book, clock, log }: BillSettlerParts): () => void {
  const stop = new AbortController();
  const cancels = new Map<string, () => void>();
  const plan = (market: string, failures: number, inMs: number) => {
    if (stop.signal.aborted) return;
    cancels.set(
      market,
      clock.after(inMs, () => void round(market, failures)),
    );
  };

  async function round(market: string, failures: number): Promise<void> {
    try {
      await settle(market);
      if (failures > 0) log.info({ market }, "the bill of a market can be read again");
      plan(market, 0, everyMs);
    } catch (thrown) {
      if (stop.signal.aborted) return;
      const { code, message } = asFailure(thrown);
      if (failures === 0) {
        const fields = { market, code, err: message };
        log.warn(fields, "days of leases cannot be settled by their bill yet; what was counted counts");
      }
      plan(market, failures + 1, Math.min(longestRetryMs, retryMs * 2 ** Math.min(10, failures)));
    }
  }

  async function settle(market: string): Promise<void> {
    const span = settleSpan(clock.now());
    const days = book.unsettledDays(market, span.from, span.to);
    const [from, to] = [days[0], days.at(-1)];
    if (from === undefined || to === undefined) return;
    const limit = new AbortController();
    const tooLate = new Failure("upstream_timeout", "The bill did not come in time.");
    const cancel = clock.after(limitMs, () => limit.abort(tooLate));
    try {
      const found = await bills.settle({ market, from, to }, AbortSignal.any([stop.signal, limit.signal]));
      const [bill] = found.markets;
      if (bill === undefined || bill.state === "not_compared") {
        throw new Failure("upstream_failed", bill?.reason ?? "There is no such bill.");
      }
      const settled = bill.rows.filter((row) => row.settled !== null);
      const differenceNanos = settled.reduce((sum, row) => sum + row.differenceNanos, 0);
      const open = bill.rows.filter((row) => row.lease !== null && row.settled === null);
      const fields = { market, from, to, settled: settled.length, open: open.length, differenceNanos };
      log.info(fields, "days of leases were settled by their market's bill");
    } finally {
      cancel();
    }
  }

  for (const { id, traits } of markets) if (traits.fixed !== true) plan(id, 0, firstMs);
  return () => {
    stop.abort();
    for (const cancel of cancels.values()) cancel();
  };
}
