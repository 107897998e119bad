/** The answers of `/admin/usage/savings`, `/power` and `/forecast` as commands read them; checked at this edge. */
import { z } from "zod";
import { causes } from "../../domain/savings/causes.ts";
import type {
  ForecastReport,
  MonthSavings,
  PowerReport,
  PowerTotals,
  SavingsReport,
} from "../../ledger/money-records.ts";

const count = z.int().nonnegative();
const nanos = z.int();
const zone = z.string().nullable();

const totals = z.object({
  ...{ meteredMs: count, unknownMs: count, milliwattMs: count, baseMilliwattMs: count },
  ...{ energyNanos: nanos, baseNanos: nanos, wearNanos: nanos, rentNanos: nanos },
  ...{ usedNanos: nanos, loadNanos: nanos, unbookedNanos: nanos, idleNanos: nanos },
}) satisfies z.ZodType<PowerTotals, unknown>;

export const powerAnswer = z.object({
  month: z.string(),
  zone,
  total: totals,
  days: z.array(totals.extend({ day: z.string() })),
}) satisfies z.ZodType<PowerReport, unknown>;

const sum = z.object({
  requests: count,
  baselineNanos: nanos,
  actualNanos: nanos,
  savedNanos: nanos,
  by: z.array(z.object({ cause: z.enum(causes), nanos })),
  unknown: z.object({ requests: count, noCost: count, noBaseline: count, knownNanos: nanos }),
});

export const savingsAnswer = z.object({
  baseline: z.object({ provider: z.string(), model: z.string(), cacheHits: z.enum(["none", "same"]) }),
  zone,
  months: z.array(
    sum.extend({
      month: z.string(),
      fromMs: z.number(),
      toMs: z.number(),
      isWhole: z.boolean(),
      power: totals,
      advice: z.array(
        z.object({
          task: z.string(),
          requests: count,
          paidNanos: nanos,
          localNanos: nanos.nullable(),
          answeredHere: count,
        }),
      ),
    }) satisfies z.ZodType<MonthSavings, unknown>,
  ),
  total: sum,
  adviceRule: z.string(),
  localContext: z.object({ tokens: count, from: z.enum(["served", "seen"]) }),
}) satisfies z.ZodType<SavingsReport, unknown>;

export const forecastAnswer = z.object({
  month: z.string(),
  zone,
  spentNanos: nanos,
  expectedNanos: nanos.nullable(),
  lowNanos: nanos.nullable(),
  highNanos: nanos.nullable(),
  days: count,
  method: z.string(),
  idleNanos: nanos,
  unknownRequests: count,
}) satisfies z.ZodType<ForecastReport, unknown>;
