/**
 * What all leases have cost today and this month, and whether an hour more of one may be. Runs in the server; sums are the ledger's, which are
 * behind by some seconds at most.
 */
import { addDays, dayOf, startOfDay } from "../domain/day.ts";
import { spanOf } from "../domain/budget/period.ts";
import { Failure } from "../domain/failure.ts";
import type { Nanos } from "../domain/money.ts";
import type { SpendCaps } from "../domain/rental/lease.ts";
import { refusalBeside } from "../domain/rental/spend-room.ts";
import type { LeaseBook } from "../ledger/leases.ts";

export interface LeaseSpend {
  ofAll(): { readonly dayNanos: Nanos; readonly monthNanos: Nanos };
  /** Throws `budget_exceeded` where a cap leaves no room for an hour of it beside an hour of all that costs money already. */
  mayCost(wish: SpendWish): void;
}

export interface SpendWish {
  readonly hourNanos: Nanos;
  /** An hour of all leases as they are now. */
  readonly besideNanos: Nanos;
  /** Paid for this lease so far; 0: it is a new one. */
  readonly leaseNanos: Nanos;
  readonly caps: SpendCaps;
}

/** `zone`: where days and months begin; null: the machine's own. `now`: epoch milliseconds that never go back. */
export function createLeaseSpend(book: Pick<LeaseBook, "spentIn">, zone: string | null, now: () => number): LeaseSpend {
  let bounds = boundsAt(now(), zone);
  const ofAll = () => {
    if (now() >= bounds.day[1]) bounds = boundsAt(now(), zone);
    return { dayNanos: book.spentIn(...bounds.day), monthNanos: book.spentIn(...bounds.month) };
  };
  return {
    ofAll,
    mayCost({ hourNanos, besideNanos, leaseNanos, caps }) {
      const { dayNanos, monthNanos } = ofAll();
      const room = { caps, todayNanos: dayNanos, monthNanos, leaseNanos };
      const refusal = refusalBeside(room, hourNanos, besideNanos);
      if (refusal === null) return;
      throw new Failure("budget_exceeded", `It may not cost more: ${refusal}.`, {
        next: ["lanthorn rental list", "lanthorn config show rentalLimits"],
      });
    },
  };
}

interface Bounds {
  readonly day: readonly [fromMs: number, untilMs: number];
  readonly month: readonly [fromMs: number, untilMs: number];
}

function boundsAt(atMs: number, zone: string | null): Bounds {
  const today = dayOf(atMs, zone);
  const from = (day: string) => startOfDay(day, zone);
  const month = spanOf("month", today);
  return { day: [from(today), from(addDays(today, 1))], month: [from(month.from), from(month.until)] };
}
