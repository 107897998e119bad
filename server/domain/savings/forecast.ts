/**
 * What a month will have cost at its end, from the days before. Pure. The method is plain, and said with the figure: each day to
 * come costs what days of its weekday did in the last four weeks, on the mean; the interval is that of 80 % if days differ from
 * the mean of their weekday as they have done, each by itself. A mean of four days is itself off by half a day's difference, and it is
 * off in the same direction for every such day to come: that is in the interval.
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
/** Of Student's distribution for 80 %, by degrees of freedom from 1 on: how days differ is itself known from few days. */
const quantiles = Object.freeze([
  ...[3.078, 1.886, 1.638, 1.533, 1.476, 1.44, 1.415, 1.397, 1.383, 1.372, 1.363, 1.356, 1.35, 1.345],
  ...[1.341, 1.337, 1.333, 1.33, 1.328, 1.325, 1.323, 1.321, 1.319, 1.318, 1.316, 1.315, 1.314],
]);

export const forecastMethod =
  "Each day to come at the mean of its weekday in the last 28 whole days (of all days where that weekday came only once); " +
  "the interval is 80 %, from how days differ from those means and how well these are known.";

export function forecastOf(facts: ForecastFacts): Forecast {
  const { spentNanos, before, toCome, today, leftOfToday } = facts;
  const known = { spentNanos, days: before.length, method: forecastMethod };
  if (before.length < fewestDays) return { ...known, expectedNanos: null, lowNanos: null, highNanos: null };
  /** The days that a day is foretold from: those of its weekday, or all. */
  const groups = new Map<number, readonly SpentDay[]>();
  const groupOf = (day: string): readonly SpentDay[] => {
    const found = groups.get(weekday(day));
    if (found !== undefined) return found;
    const same = before.filter((one) => weekday(one.day) === weekday(day));
    const group = same.length >= 2 ? same : before;
    groups.set(weekday(day), group);
    return group;
  };
  const meanOf = (day: string) => mean(groupOf(day).map(({ nanos }) => nanos));
  /** Days to come by what they are foretold from; today counts for what is left of it. */
  const weights = new Map<readonly SpentDay[], number>();
  for (const [day, weight] of [[today, leftOfToday] as const, ...toCome.map((day) => [day, 1] as const)]) {
    const group = groupOf(day);
    weights.set(group, (weights.get(group) ?? 0) + weight);
  }
  const rest = meanOf(today) * leftOfToday + toCome.reduce((sum, day) => sum + meanOf(day), 0);
  const means = new Set(before.map(({ day }) => groupOf(day))).size;
  const freedom = Math.max(1, before.length - means);
  const variance = before.reduce((sum, { day, nanos }) => sum + (nanos - meanOf(day)) ** 2, 0) / freedom;
  const ofTheirOwn = leftOfToday + toCome.length;
  const ofTheMeans = [...weights].reduce((sum, [group, weight]) => sum + weight ** 2 / group.length, 0);
  const quantile = quantiles[Math.min(freedom, quantiles.length) - 1] ?? 0;
  const spread = quantile * Math.sqrt(variance * (ofTheirOwn + ofTheMeans));
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
