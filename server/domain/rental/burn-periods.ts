/** Days and months over which the burn of leases is added up, and how many of them may be asked for at once. Pure. */
import { spanOf } from "../budget/period.ts";
import { addDays, type Day, isDay } from "../day.ts";
import { Failure } from "../failure.ts";

/** `lease`: not over time, but each lease's own in the whole of it. */
export const burnGroups = Object.freeze(["day", "month", "lease"] as const);
export type BurnGroup = (typeof burnGroups)[number];

export interface BurnRange {
  readonly by: BurnGroup;
  /** `2026-11-27`, or `2026-11` for the whole of a month; null: as far back as is usual. */
  readonly from: string | null;
  /** Included; null: today. */
  readonly to: string | null;
}

export interface BurnPeriod {
  /** `2026-11-27` or `2026-11`. */
  readonly period: string;
  readonly from: Day;
  /** Not included. */
  readonly until: Day;
}

const mostDays = 92;
const mostMonths = 36;
const usualDays = 31;
const usualMonths = 12;

/** Oldest first. Of leases the months that their sums are read by. Throws `invalid_request`. */
export function burnPeriods({ by, from, to }: BurnRange, today: Day): readonly BurnPeriod[] {
  const last = to === null ? today : edgeOf("to", to, "last");
  if (by === "day") {
    const first = from === null ? addDays(last, 1 - usualDays) : edgeOf("from", from, "first");
    const days = within(first, last, mostDays, (day) => addDays(day, 1));
    if (days.length <= mostDays) return days.map((day) => ({ period: day, from: day, until: addDays(day, 1) }));
    throw tooMany(`${mostDays} days by day`, "By month it may be more: --by month.");
  }
  const back = by === "lease" ? 1 : usualMonths;
  const first = from === null ? monthsBefore(last, back - 1) : edgeOf("from", from, "first");
  const months = within(spanOf("month", first).from, last, mostMonths, (day) => spanOf("month", day).until);
  if (months.length > mostMonths) throw tooMany(`${mostMonths} months`, "Ask for a part of it.");
  // Of leases the very days that were asked for; a month is a whole one.
  return months.map((month): BurnPeriod => {
    const { until } = spanOf("month", month);
    if (by === "month") return { period: month.slice(0, 7), from: month, until };
    const end = addDays(last, 1);
    return { period: month.slice(0, 7), from: month < first ? first : month, until: until < end ? until : end };
  });
}

function edgeOf(param: "from" | "to", text: string, which: "first" | "last"): Day {
  if (isDay(text)) return text;
  if (/^\d{4}-\d{2}$/.test(text) && isDay(`${text}-01`)) {
    const { from, until } = spanOf("month", `${text}-01`);
    return which === "first" ? from : addDays(until, -1);
  }
  throw new Failure("invalid_request", `"${text.slice(0, 40)}" is no day and no month.`, {
    ...{ param, why: "A day is 2026-11-27, a month 2026-11.", next: ["lanthorn rental burn --help"] },
  });
}

/** Not more than one more than `most`: whoever asked for a thousand years is told without counting them. */
function within(first: Day, last: Day, most: number, next: (day: Day) => Day): readonly Day[] {
  if (first > last) {
    throw new Failure("invalid_request", `The end (${last}) is before the beginning (${first}).`, {
      ...{ param: "from", next: ["lanthorn rental burn --help"] },
    });
  }
  const found: Day[] = [];
  for (let day = first; day <= last && found.length <= most; day = next(day)) found.push(day);
  return found;
}

function monthsBefore(day: Day, months: number): Day {
  let { from } = spanOf("month", day);
  for (let left = months; left > 0; left -= 1) ({ from } = spanOf("month", addDays(from, -1)));
  return from;
}

function tooMany(most: string, why: string): Failure {
  return new Failure("invalid_request", `The burn is told for ${most} at most.`, {
    ...{ param: "from", why, next: ["lanthorn rental burn --help"] },
  });
}
