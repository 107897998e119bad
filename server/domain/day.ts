/**
 * Days of a calendar as text, `2026-11-26`, so that they compare, and where each begins: in UTC, or where somebody lives, on a day of
 * 23 or 25 hours too. Pure.
 */

/** `YYYY-MM-DD`. */
export type Day = string;

export const dayMs = 86_400_000;

/** Making one takes longer than using it, and a box has one zone or two. */
const formats = new Map<string, Intl.DateTimeFormat>();
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
  const aboutMs = startOfUtcDay(day);
  let before = aboutMs - farthestMs;
  let notBefore = aboutMs + farthestMs;
  while (notBefore - before > 1) {
    const middle = Math.floor((before + notBefore) / 2);
    if (dayOf(middle, zone) < day) before = middle;
    else notBefore = middle;
  }
  return notBefore;
}

/** The day in UTC that a moment lies in. */
export function utcDayOf(atMs: number): Day {
  return new Date(atMs).toISOString().slice(0, 10);
}

/** Epoch milliseconds of its first moment in UTC. */
export function startOfUtcDay(day: Day): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** False for `2026-11-31` and for anything that is no day. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const atMs = startOfUtcDay(text);
  return !Number.isNaN(atMs) && utcDayOf(atMs) === text;
}

/** Calendar arithmetic: no zone and no hours. */
export function addDays(day: Day, days: number): Day {
  return utcDayOf(startOfUtcDay(day) + days * dayMs);
}

/** From the first to, and without, the last. */
export function daysBetween(from: Day, until: Day): readonly Day[] {
  const days: Day[] = [];
  for (let day = from; day < until; day = addDays(day, 1)) days.push(day);
  return days;
}
