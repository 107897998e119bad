/**
 * Lays what markets bill beside what the ledger counted, by instance and day (UTC). Runs in the server. Contacts markets when asked to, and
 * writes nothing. Our day is cut at quarters of an hour and theirs at midnight, so both are the same days.
 */
import { asFailure, Failure } from "../domain/failure.ts";
import { addDays, type Day, daysBetween, isDay, startOfUtcDay, utcDayOf } from "../domain/day.ts";
import { type Attos, nanosOfAttos } from "../domain/reconcile/exact-amount.ts";
import type { Verdict } from "../domain/reconcile/records.ts";
import type { Clock } from "../domain/ports.ts";
import type { LeaseBook } from "../ledger/leases.ts";
import type { BillComparison, BillRow, MarketBill, RentalBills } from "./desk-parts.ts";
import type { Market } from "./market.ts";

export interface RentalBillsParts {
  readonly markets: readonly Market[];
  readonly book: Pick<LeaseBook, "burnIn">;
  readonly clock: Clock;
}

const mostDays = 92;
/** A cent: a look every ten seconds does not see when exactly a machine began to run. */
const toleranceNanos = 10_000_000;
/** Markets write their bills down later. */
const settlesAfterMs = 24 * 3_600_000;

interface Side {
  readonly lease: number | null;
  readonly nanos: number;
}

export function createRentalBills({ markets, book, clock }: RentalBillsParts): RentalBills {
  return {
    async compare({ market, from, to }, signal): Promise<BillComparison> {
      const days = isDay(from) && isDay(to) && from <= to ? daysBetween(from, addDays(to, 1)) : [];
      if (days.length === 0 || days.length > mostDays) {
        throw new Failure("invalid_request", `The days must be in order, and ${mostDays} at most.`, { param: "from" });
      }
      // A machine of the settings sends its bill to a person.
      const chosen = markets.filter(({ id, traits }) => (market === null ? traits.fixed !== true : id === market));
      if (market !== null && chosen[0]?.traits.fixed === true)
        throw new Failure("unsupported", `"${market}" is a machine of the settings: no bills of it can be read.`);
      if (market !== null && chosen.length === 0)
        throw new Failure("not_found", `There is no market "${market}" here.`);
      const bills = await Promise.all(chosen.map((one) => billOf(one, days, signal)));
      const isFine = (row: BillRow) => row.verdict === "agrees" || row.verdict === "not_yet_reported";
      return {
        from,
        to,
        markets: bills,
        agrees: bills.every(({ state, rows }) => state === "compared" && rows.every(isFine)),
      };
    },
  };

  async function billOf(market: Market, days: readonly Day[], signal: AbortSignal): Promise<MarketBill> {
    const head = { market: market.id, title: market.title };
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
      const keys = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
      const rows = keys.map((key) => rowOf(key, ours.get(key) ?? null, theirs.get(key)));
      const sum = (of: (row: BillRow) => number) => rows.reduce((total, row) => total + of(row), 0);
      return {
        ...head,
        ...{ state: "compared", reason: "", rows, oursNanos: sum(({ oursNanos }) => oursNanos) },
        theirsNanos: sum((row) => row.theirsNanos ?? 0),
        differenceNanos: sum(({ differenceNanos }) => differenceNanos),
      };
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const nothing = { rows: [], oursNanos: 0, theirsNanos: 0, differenceNanos: 0 };
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

  function rowOf(key: string, ours: Side | null, billed: Attos | null | undefined): BillRow {
    const [day = "", instanceId = ""] = key.split(" ");
    const theirsNanos = billed === undefined || billed === null ? null : nanosOfAttos(billed);
    const oursNanos = ours?.nanos ?? 0;
    const differenceNanos = (theirsNanos ?? 0) - oursNanos;
    const isSettled = clock.now() >= startOfUtcDay(day) + 24 * 3_600_000 + settlesAfterMs;
    const [verdict, reason] = judged({
      ours,
      billed,
      differenceNanos,
      isSettled,
      isToday: utcDayOf(clock.now()) === day,
    });
    return { day, instanceId, lease: ours?.lease ?? null, oursNanos, theirsNanos, differenceNanos, verdict, reason };
  }
}

interface Judged {
  readonly ours: Side | null;
  readonly billed: Attos | null | undefined;
  readonly differenceNanos: number;
  readonly isSettled: boolean;
  readonly isToday: boolean;
}

function judged({ ours, billed, differenceNanos, isSettled, isToday }: Judged): readonly [Verdict, string] {
  if (billed === null) return ["unreadable", "what stands in the bill is no amount"];
  if (Math.abs(differenceNanos) <= toleranceNanos) return ["agrees", "to the cent"];
  if (ours === null) return ["missing_here", "no lease of this box had this machine: lanthorn rental orphans"];
  if (isToday || !isSettled) return ["not_yet_reported", "the market may not have billed the whole of this day yet"];
  if (billed === undefined) return ["missing_there", "the bill has no line of it"];
  return ["differs", differenceNanos > 0 ? "the market bills more than the ledger counted" : "the market bills less"];
}
