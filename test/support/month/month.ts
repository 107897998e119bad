/** Lives a month and counts it by hand; what differs is said, and there must be nothing. */
import { join } from "node:path";
import type { ForecastReport, PowerReport, SavingsReport } from "../../../server/ledger/money-records.ts";
import { countByHand, powerByHand } from "./by-hand.ts";
import { liveMonth } from "./run.ts";
import { type Story, tellMonth } from "./story.ts";

export interface MonthResult {
  readonly seed: number;
  readonly requests: number;
  readonly savings: SavingsReport;
  readonly power: PowerReport;
  /** As of noon on the 24th; what it came to in the end is `power` and `savings`. */
  readonly forecast: ForecastReport;
  /** What the whole month cost, as far as that is known. */
  readonly cameToNanos: number;
  /** Sentences; empty: everything agrees. */
  readonly differences: readonly string[];
}

export async function month(options: {
  readonly seed: number;
  /** Requests of a weekday. */
  readonly each: number;
  readonly folder: string;
  /** Only the first ones of the month. */
  readonly days?: number;
  /** Changes the ledger behind everybody's back before it is asked. */
  spoil?(path: string): void;
}): Promise<MonthResult> {
  const { seed, each, folder } = options;
  const story = tellMonth(seed, each, options.days);
  const path = join(folder, `month-${seed}.db`);
  const { ledger, deskAt } = liveMonth(story, path);
  options.spoil?.(path);
  try {
    const desk = deskAt(story.toMs - 1);
    const noonMs = Date.UTC(2026, 9, 24, 12);
    const [savings, power, forecast, end] = [
      await desk.savings("2026-10"),
      await desk.power("2026-10"),
      await deskAt(noonMs).forecast(),
      await desk.forecast(),
    ];
    const differences = differ(story, path, savings, power);
    return {
      seed,
      requests: story.requests.length,
      savings,
      power,
      forecast,
      cameToNanos: end.spentNanos,
      differences,
    };
  } finally {
    await ledger.close();
  }
}

function differ(story: Story, path: string, savings: SavingsReport, power: PowerReport): readonly string[] {
  const metered = powerByHand(story, path);
  const hand = countByHand(story, metered.localNanos, metered.idleNanos + metered.loadNanos);
  const [report] = savings.months;
  if (report === undefined || savings.months.length !== 1) return ["there is not one month in the report"];
  const found: string[] = [];
  const same = (what: string, said: number | bigint, counted: number | bigint) => {
    if (BigInt(said) !== BigInt(counted)) found.push(`${what}: the report says ${said}, by hand it is ${counted}`);
  };
  same("baseline", report.baselineNanos, hand.baselineNanos);
  same("actual", report.actualNanos, hand.actualNanos);
  same("saved", report.savedNanos, hand.baselineNanos - hand.actualNanos);
  for (const [cause, nanos] of Object.entries(report.by)) same(cause, nanos, hand.by[cause] ?? 0n);
  const parts = Object.values(report.by).reduce((sum, nanos) => sum + nanos, 0);
  same("sum of the causes", parts, hand.baselineNanos - hand.actualNanos);
  same("compared requests", report.requests, hand.compared);
  same("requests not compared", report.unknown.requests, hand.unknown);
  const { energyNanos, baseNanos, wearNanos, rentNanos, usedNanos, loadNanos, idleNanos } = power.total;
  same("metered", energyNanos + baseNanos + wearNanos + rentNanos, metered.meteredNanos);
  same("used", usedNanos, metered.bookedNanos);
  same("used, in the file", usedNanos, metered.usedNanos);
  same("requests, loading and idle", usedNanos + loadNanos + idleNanos, metered.meteredNanos);
  const days = power.days.reduce((sum, day) => sum + day.usedNanos + day.loadNanos + day.idleNanos, 0);
  same("days together", days, metered.meteredNanos);
  const kilowattHours = (power.total.milliwattMs + power.total.baseMilliwattMs) / 3.6e12;
  // The card is looked at every ten seconds; what it draws meanwhile is taken from the last look of its kind.
  const off = kilowattHours / metered.kilowattHours - 1;
  if (Math.abs(off) > 0.02) found.push(`energy: ${kilowattHours} kWh metered, ${metered.kilowattHours} by hand`);
  return found;
}
