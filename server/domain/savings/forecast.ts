/**
 * What a month will have cost at its end, from the days before. Pure. The method is plain, and said with the figure: each day to
 * come costs what days of its weekday did in the last four weeks, on the mean; the interval is that of 80 % if days differ from
 * the mean of their weekday as they have done, each by itself.
 */
import { startOfUtcDay } from "../day.ts";
import type { Nanos } from "../money.ts";

export interface SpentDay {
  /** `2026-11-26`. */
  readonly day: string;
  readonly nanos: Nanos;
}

export interface Forecast {
  /** Up to now, of the month. */
  readonly spentNanos: Nanos;
  /** Null: there are too few days to say. */
  readonly expectedNanos: Nanos | null;
  readonly lowNanos: Nanos | null;
  readonly highNanos: Nanos | null;
  /** Whole days it rests on. */
  readonly days: number;
  readonly method: string;
}

export interface ForecastFacts {
  /** Of the month, today's part included. */
  readonly spentNanos: Nanos;
  /** Whole days before today, 28 at most. */
  readonly before: readonly SpentDay[];
  /** Days of the month that come after today. */
  readonly toCome: readonly string[];
  readonly today: string;
  /** What is left of today, 0 to 1. */
  readonly leftOfToday: number;
}

export const fewestDays = 7;
/** Of the normal distribution, for 80 %. */
const z = 1.281552;

export const forecastMethod =
  "Each day to come at the mean of its weekday in the last 28 whole days (of all days where that weekday came only once); " +
  "the interval is 80 %, from how days differ from those means.";

export function forecastOf(facts: ForecastFacts): Forecast {
  const { spentNanos, before, toCome, today, leftOfToday } = facts;
  const known = { spentNanos, days: before.length, method: forecastMethod };
  if (before.length < fewestDays) return { ...known, expectedNanos: null, lowNanos: null, highNanos: null };
  const all = mean(before.map(({ nanos }) => nanos));
  const meanOf = (day: string): number => {
    const same = before.filter((one) => weekday(one.day) === weekday(day));
    return same.length >= 2 ? mean(same.map(({ nanos }) => nanos)) : all;
  };
  const rest = meanOf(today) * leftOfToday + toCome.reduce((sum, day) => sum + meanOf(day), 0);
  const variance =
    before.reduce((sum, { day, nanos }) => sum + (nanos - meanOf(day)) ** 2, 0) / Math.max(1, before.length - 1);
  const spread = z * Math.sqrt(variance * (leftOfToday + toCome.length));
  return {
    ...known,
    expectedNanos: spentNanos + Math.round(rest),
    // What is spent is spent.
    lowNanos: spentNanos + Math.max(0, Math.round(rest - spread)),
    highNanos: spentNanos + Math.round(rest + spread),
  };
}

function weekday(day: string): number {
  return new Date(startOfUtcDay(day)).getUTCDay();
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
