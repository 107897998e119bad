/** Whether caps leave room for one more hour of a machine, told in words before anybody is asked. Pure. */
import { roughUsd } from "./usd-text.ts";
import type { Nanos } from "../money.ts";
import type { SpendCaps } from "./lease.ts";

/** What was spent so far, and what may be. */
export interface SpendRoom {
  readonly caps: SpendCaps;
  readonly todayNanos: Nanos;
  readonly monthNanos: Nanos;
  /** Of this lease; 0: it is a new one. */
  readonly leaseNanos: Nanos;
}

/**
 * Null: there is room. `perHourNanos` null: nobody knows yet what it will cost; then only a cap that is used up refuses. What others
 * spend meanwhile is for the desk to see, which asks again before it spends.
 */
export function capRefusal(
  { caps, todayNanos, monthNanos, leaseNanos }: SpendRoom,
  perHourNanos: Nanos | null,
): string | null {
  const all = [
    ["of today", caps.perDayNanos, todayNanos],
    ["of this month", caps.perMonthNanos, monthNanos],
    ["of this lease", caps.perInstanceNanos, leaseNanos],
  ] as const;
  for (const [whose, cap, spent] of all) {
    if (cap === null || spent + (perHourNanos ?? 1) <= cap) continue;
    if (perHourNanos === null) return `the cap ${whose} (${roughUsd(cap)}) is used up: ${roughUsd(spent)} is spent`;
    return `the cap ${whose} (${roughUsd(cap)}) does not leave room for an hour at ${roughUsd(perHourNanos)}: ${roughUsd(spent)} is spent`;
  }
  return null;
}

/** The same beside an hour of all that costs money already. */
export function refusalBeside(room: SpendRoom, perHourNanos: Nanos, besideNanos: Nanos): string | null {
  const { todayNanos, monthNanos } = room;
  const beside = { ...room, todayNanos: todayNanos + besideNanos, monthNanos: monthNanos + besideNanos };
  const refusal = capRefusal(beside, perHourNanos);
  return refusal === null || besideNanos === 0 ? refusal : `${refusal}, an hour of what runs included`;
}
