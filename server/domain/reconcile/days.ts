/** Days of bills: whole days in UTC, as all providers that are read count them. Pure. */

/** `2026-11-20`. */
export type Day = string;

export const dayMs = 86_400_000;

/** The day that a moment lies in. */
export function dayOf(atMs: number): Day {
  return new Date(atMs).toISOString().slice(0, 10);
}

/** Epoch milliseconds of its first moment. */
export function startOfDay(day: Day): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** False for `2026-11-31` and for anything that is no day. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const atMs = startOfDay(text);
  return !Number.isNaN(atMs) && dayOf(atMs) === text;
}

export function dayAfter(day: Day, days = 1): Day {
  return dayOf(startOfDay(day) + days * dayMs);
}

/** From the first to, and without, the last. */
export function daysBetween(from: Day, until: Day): readonly Day[] {
  const days: Day[] = [];
  for (let day = from; day < until; day = dayAfter(day)) days.push(day);
  return days;
}
