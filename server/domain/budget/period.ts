/** Days, weeks and months as budgets count them: a period is a span of whole days. Pure. */
import { addDays, type Day, daysBetween, startOfUtcDay } from "../day.ts";

export const periods = Object.freeze(["day", "week", "month"] as const);
export type Period = (typeof periods)[number];

export interface Span {
  readonly from: Day;
  /** The first day that is not in it any more. */
  readonly until: Day;
}

/** The period that a day is in. Weeks begin on Monday. */
export function spanOf(period: Period, day: Day): Span {
  if (period === "day") return { from: day, until: addDays(day, 1) };
  if (period === "week") {
    const from = addDays(day, -((new Date(startOfUtcDay(day)).getUTCDay() + 6) % 7));
    return { from, until: addDays(from, 7) };
  }
  const from = `${day.slice(0, 8)}01`;
  return { from, until: `${addDays(from, 31).slice(0, 8)}01` };
}

/** Every day from the earliest that a period of today's may have begun on, up to today. */
export function daysThatCount(today: Day): readonly Day[] {
  const from = periods
    .map((period) => spanOf(period, today).from)
    .reduce((left, right) => (right < left ? right : left));
  return daysBetween(from, addDays(today, 1));
}
