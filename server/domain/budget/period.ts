/**
 * Days, weeks and months of a calendar where somebody lives: a day on which the clocks change has 23 or 25 hours. Pure. A day is
 * text, `2026-11-26`, so that days compare and a budget's period is a span of them.
 */

export const periods = Object.freeze(["day", "week", "month"] as const);
export type Period = (typeof periods)[number];

/** A local date, `YYYY-MM-DD`. */
export type Day = string;

/** Making one takes longer than using it, and a box has one zone or two. */
const formats = new Map<string, Intl.DateTimeFormat>();
const dayMs = 86_400_000;
/** No place is further from UTC. */
const farthestMs = 16 * 3_600_000;

/** The date there at that moment. `zone`: an IANA name; null: the machine's own. Throws RangeError for a name nobody knows. */
export function dayOf(atMs: number, zone: string | null): Day {
  let format = formats.get(zone ?? "");
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      ...(zone === null ? {} : { timeZone: zone }),
      ...{ calendar: "gregory", numberingSystem: "latn", year: "numeric", month: "2-digit", day: "2-digit" },
    });
    formats.set(zone ?? "", format);
  }
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  return `${parts.get("year")?.padStart(4, "0")}-${parts.get("month")}-${parts.get("day")}`;
}

/** Epoch milliseconds of the first moment of a day there: midnight, or later where the clocks jump over it. */
export function startOfDay(day: Day, zone: string | null): number {
  const aboutMs = Date.parse(`${day}T00:00:00Z`);
  let before = aboutMs - farthestMs;
  let notBefore = aboutMs + farthestMs;
  while (notBefore - before > 1) {
    const middle = Math.floor((before + notBefore) / 2);
    if (dayOf(middle, zone) < day) before = middle;
    else notBefore = middle;
  }
  return notBefore;
}

export interface Span {
  readonly from: Day;
  /** The first day that is not in it any more. */
  readonly until: Day;
}

/** The period that a day is in. Weeks begin on Monday. */
export function spanOf(period: Period, day: Day): Span {
  if (period === "day") return { from: day, until: addDays(day, 1) };
  if (period === "week") {
    const from = addDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));
    return { from, until: addDays(from, 7) };
  }
  const from = `${day.slice(0, 8)}01`;
  return { from, until: `${addDays(from, 31).slice(0, 8)}01` };
}

/** Calendar arithmetic: no zone and no hours. */
export function addDays(day: Day, days: number): Day {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * dayMs).toISOString().slice(0, 10);
}

/** Every day from the earliest that a period of today's may have begun on, up to today. */
export function daysThatCount(today: Day): readonly Day[] {
  const from = periods
    .map((period) => spanOf(period, today).from)
    .reduce((left, right) => (right < left ? right : left));
  const days: Day[] = [];
  for (let day = from; day <= today; day = addDays(day, 1)) days.push(day);
  return days;
}
