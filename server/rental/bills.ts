/**
 * Lays what markets bill beside what the ledger counted, by instance and day (UTC), and settles days that are over by what was billed. Runs
 * in the server. Contacts markets when asked to. Our day is cut at quarters of an hour and theirs at midnight, so both are the same days.
 */
import { asFailure, Failure } from "../domain/failure.ts";
import { addDays, type Day, daysBetween, isDay, startOfUtcDay } from "../domain/day.ts";
import { type Attos, nanosOfAttos } from "../domain/reconcile/exact-amount.ts";
import type { Clock } from "../domain/ports.ts";
import { canSettle, isBilled, judged } from "../domain/rental/bill-verdict.ts";
import type { LeaseSettlement } from "../ledger/lease-settlements.ts";
import type { LeaseBook } from "../ledger/leases.ts";
import type { BillComparison, BillRow, BillWish, MarketBill, RentalBills } from "./desk-parts.ts";
import type { Market } from "./market.ts";

export interface RentalBillsParts {
  readonly markets: readonly Market[];
  readonly book: Pick<LeaseBook, "burnIn" | "leaseOf" | "settle" | "settlements">;
  readonly clock: Clock;
  /** Days of these leases cost something else now. */
  settled?(leases: readonly number[]): void;
}

const mostDays = 92;

interface Side {
  readonly lease: number;
  readonly nanos: number;
}

export function createRentalBills({ markets, book, clock, settled }: RentalBillsParts): RentalBills {
  return {
    compare: (wish, signal) => compared(wish, signal, false),
    settle: (wish, signal) => compared(wish, signal, true),
  };

  async function compared(
    { market, from, to }: BillWish,
    signal: AbortSignal,
    settles: boolean,
  ): Promise<BillComparison> {
    const days = isDay(from) && isDay(to) && from <= to ? daysBetween(from, addDays(to, 1)) : [];
    if (days.length === 0 || days.length > mostDays) {
      throw new Failure("invalid_request", `The days must be in order, and ${mostDays} at most.`, { param: "from" });
    }
    const chosen = markets.filter(({ id }) => market === null || id === market);
    if (market !== null && chosen.length === 0) throw new Failure("not_found", `There is no market "${market}" here.`);
    const bills = await Promise.all(chosen.map((one) => billOf(one, days, signal)));
    signal.throwIfAborted();
    const whole = settles ? settledBy(bills) : bills;
    const isFine = ({ verdict, settled: taken, theirsNanos }: BillRow) =>
      verdict === "agrees" ||
      verdict === "not_yet_reported" ||
      (taken !== null && (theirsNanos === null || taken.billedNanos === theirsNanos));
    const agrees = whole.every(({ state, rows }) => state !== "not_compared" && rows.every(isFine));
    return { from, to, markets: whole, agrees };
  }

  /** Throws `ledger_unavailable`. What is settled so already is not touched. */
  function settledBy(bills: readonly MarketBill[]): readonly MarketBill[] {
    const atMs = clock.now();
    const found: LeaseSettlement[] = [];
    const whole = bills.map((bill) => ({
      ...bill,
      rows: bill.rows.map((row): BillRow => {
        const { lease, day, oursNanos: countedNanos, theirsNanos: billedNanos } = row;
        if (lease === null || billedNanos === null || !canSettle(row, atMs)) return row;
        if (row.settled?.billedNanos === billedNanos) return row;
        found.push({ lease, day, countedNanos, billedNanos, atMs });
        return { ...row, settled: { billedNanos, atMs } };
      }),
    }));
    if (found.length === 0) return whole;
    book.settle(found);
    settled?.([...new Set(found.map(({ lease }) => lease))]);
    return whole;
  }

  async function billOf(market: Market, days: readonly Day[], signal: AbortSignal): Promise<MarketBill> {
    const head = { market: market.id, title: market.title };
    const nothing = { rows: [], oursNanos: 0, theirsNanos: 0, differenceNanos: 0 };
    // Its bill is sent to a person.
    if (market.traits.fixed) return { ...head, ...nothing, state: "no_bills", reason: "nobody bills it by an API" };
    const [first = "", last = ""] = [days[0], days.at(-1)];
    try {
      const lines = await market.bills(first, addDays(last, 1), signal);
      const theirs = new Map<string, Attos | null>();
      for (const { day, instanceId, attos } of lines) {
        const key = `${day} ${instanceId}`;
        const before = theirs.get(key);
        theirs.set(key, attos === null || before === null ? null : (before ?? 0n) + attos);
      }
      const ours = oursOf(market.id, days);
      const taken = new Map(book.settlements(first, last).map((one) => [`${one.day} ${one.lease}`, one]));
      const keys = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
      const rows = keys.map((key) => {
        const [day = "", instanceId = ""] = key.split(" ");
        const lease = ours.has(key) ? null : book.leaseOf(market.id, instanceId);
        // It was ours, and we counted nothing of that day.
        const side = ours.get(key) ?? (lease === null ? null : { lease, nanos: 0 });
        const settlement = side === null ? undefined : taken.get(`${day} ${side.lease}`);
        return rowOf({ day, instanceId }, side, theirs.get(key), settlement ?? null);
      });
      const sum = (of: (row: BillRow) => number) => rows.reduce((total, row) => total + of(row), 0);
      return {
        ...head,
        ...{ state: "compared", reason: "", rows, oursNanos: sum(({ oursNanos }) => oursNanos) },
        theirsNanos: sum((row) => row.theirsNanos ?? 0),
        differenceNanos: sum(({ differenceNanos }) => differenceNanos),
      };
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      return { ...head, ...nothing, state: "not_compared", reason: asFailure(thrown).message };
    }
  }

  function oursOf(market: string, days: readonly Day[]): ReadonlyMap<string, Side> {
    const found = new Map<string, Side>();
    for (const day of days) {
      for (const burn of book.burnIn(startOfUtcDay(day), startOfUtcDay(addDays(day, 1)))) {
        if (burn.market !== market || burn.instanceId === null) continue;
        found.set(`${day} ${burn.instanceId}`, { lease: burn.lease, nanos: burn.nanos });
      }
    }
    return found;
  }

  function rowOf(
    what: Pick<BillRow, "day" | "instanceId">,
    ours: Side | null,
    billed: Attos | null | undefined,
    settlement: LeaseSettlement | null,
  ): BillRow {
    // Nobody is paid for having rented: less than nothing is no amount either.
    const readable = billed === undefined || billed === null || billed >= 0n ? billed : null;
    const theirsNanos = isBilled(readable) ? nanosOfAttos(readable) : null;
    const oursNanos = ours?.nanos ?? 0;
    const differenceNanos = (theirsNanos ?? 0) - oursNanos;
    const isOurs = ours !== null;
    const [verdict, reason] = judged({ isOurs, billed: readable, differenceNanos, day: what.day, nowMs: clock.now() });
    const settledRow = settlement === null ? null : { billedNanos: settlement.billedNanos, atMs: settlement.atMs };
    const sums = { oursNanos, theirsNanos, differenceNanos };
    return { ...what, lease: ours?.lease ?? null, ...sums, verdict, reason, settled: settledRow };
  }
}
