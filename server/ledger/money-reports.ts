/**
 * Savings, power and forecast of calendar months. Every row is read on the reader thread, a page at a time; here the pages are
 * added up. Runs on the server's thread, or in a command.
 */
import { spanOf } from "../domain/budget/period.ts";
import { addDays, dayOf, daysBetween, startOfDay } from "../domain/day.ts";
import { Failure } from "../domain/failure.ts";
import type { PriceRow } from "../domain/pricing/book.ts";
import { adviceOf, adviceRule } from "../domain/savings/advice.ts";
import { type Baseline, causes } from "../domain/savings/causes.ts";
import { forecastOf } from "../domain/savings/forecast.ts";
import { addSavings, nothingSaved, savedNanos, type SavingsSum, withIdle } from "../domain/savings/sum.ts";
import type {
  ForecastReport,
  MoneyQueries,
  MonthSavings,
  PowerReport,
  PowerTotals,
  SavingsReport,
  TimeSpan,
} from "./money-records.ts";
import type { ReaderLink } from "./reader/link.ts";

export interface SavingsWish {
  /** `2026-11`; null: every month there is, 13 at most. */
  readonly month: string | null;
  /** An IANA name; null: the machine's own. */
  readonly zone: string | null;
  /** Epoch milliseconds. */
  readonly nowMs: number;
  readonly baseline: Baseline;
  readonly overrides: readonly PriceRow[];
  /** Tokens that a local model has room for; null: the largest request that this box has answered. */
  readonly localContext: number | null;
}

/** All reject with Failure `ledger_unavailable` when the file cannot be read. */
export interface MoneyReports {
  savings(wish: SavingsWish): Promise<SavingsReport>;
  power(wish: { readonly month: string; readonly zone: string | null }): Promise<PowerReport>;
  /** Of the month that `nowMs` is in. */
  forecast(wish: { readonly zone: string | null; readonly nowMs: number }): Promise<ForecastReport>;
}

/** A year and the month that runs. */
const mostMonths = 13;
/** Whole days a forecast looks back. */
const daysBack = 28;

export function createMoneyReports(link: ReaderLink): MoneyReports {
  /** What no request used, loads included. */
  const idleOf = ({ idleNanos, loadNanos }: PowerTotals) => idleNanos + loadNanos;
  const powerIn = async (spans: readonly TimeSpan[]): Promise<readonly PowerTotals[]> => link.ask("power", spans);

  const sumOf = async (span: TimeSpan, wish: SavingsWish, localContext: number): Promise<SavingsSum> => {
    const { baseline, overrides } = wish;
    const asked = { fromMs: span[0], toMs: span[1], baseline, overrides, localContext };
    let sum = nothingSaved;
    for (let after: SavingsPage["next"] = null; ; ) {
      const page: SavingsPage = await link.ask("savingsPage", { ...asked, after });
      sum = addSavings(sum, page.sum);
      if (page.next === null) return sum;
      after = page.next;
    }
  };

  const monthSavings = async (month: string, wish: SavingsWish, localContext: number): Promise<CountedMonth> => {
    const span = spanOfMonth(month, wish.zone);
    const [power] = await powerIn([span]);
    if (power === undefined) throw new Failure("internal", "The reader told nothing of the power.");
    const sum = withIdle(await sumOf(span, wish, localContext), idleOf(power));
    const isWhole = (await link.ask("rowsFromMs", null)) <= span[0];
    const [fromMs, toMs] = span;
    const told = { month, fromMs, toMs, isWhole, ...inReport(sum), power, advice: adviceOf(sum.tasks) };
    return { sum, told };
  };

  return {
    async savings(wish) {
      const { month, zone, nowMs, baseline } = wish;
      const months = month === null ? monthsUpTo(await link.ask("firstRequestMs", null), nowMs, zone) : [month];
      const localContext = await contextOf(link, wish, months);
      const found: CountedMonth[] = [];
      for (const one of months) found.push(await monthSavings(one, wish, localContext.tokens));
      const total = inReport(found.map(({ sum }) => sum).reduce(addSavings, nothingSaved));
      const told = found.map((one) => one.told);
      return { baseline, zone, months: told, total, adviceRule, localContext };
    },
    async power({ month, zone }) {
      const days = daysOf(month);
      const spans = days.map((day): TimeSpan => [startOfDay(day, zone), startOfDay(addDays(day, 1), zone)]);
      const [total, ...each] = await powerIn([spanOfMonth(month, zone), ...spans]);
      if (total === undefined) throw new Failure("internal", "The reader told nothing of the power.");
      const metered = days.flatMap((day, index) => {
        const one = each[index];
        return one === undefined || one.meteredMs + one.unknownMs === 0 ? [] : [{ day, ...one }];
      });
      return { month, zone, total, days: metered };
    },
    async forecast({ zone, nowMs }) {
      const today = dayOf(nowMs, zone);
      const month = today.slice(0, 7);
      const first = await link.ask("firstRequestMs", null);
      /** Days before the first request are not cheap days. */
      const sinceDay = first === null ? today : addDays(dayOf(first, zone), 1);
      const before = Array.from({ length: daysBack }, (_, index) => addDays(today, index - daysBack));
      const whole = before.filter((day) => day >= sinceDay);
      const spentIn = async (span: TimeSpan) => {
        const [spent, [power]] = [await link.ask("spent", span), await powerIn([span])];
        const idleNanos = power === undefined ? 0 : idleOf(power);
        return { nanos: spent.knownNanos + idleNanos, idleNanos, unknownRequests: spent.unknownRequests };
      };
      const days: { readonly day: string; readonly nanos: number }[] = [];
      for (const day of whole) {
        const { nanos } = await spentIn([startOfDay(day, zone), startOfDay(addDays(day, 1), zone)]);
        days.push({ day, nanos });
      }
      const now = await spentIn([spanOfMonth(month, zone)[0], nowMs + 1]);
      const [startMs, endMs] = [startOfDay(today, zone), startOfDay(addDays(today, 1), zone)];
      const forecast = forecastOf({
        ...{ spentNanos: now.nanos, before: days, today },
        toCome: daysOf(month).filter((day) => day > today),
        leftOfToday: (endMs - nowMs) / (endMs - startMs),
      });
      return { month, zone, ...forecast, idleNanos: now.idleNanos, unknownRequests: now.unknownRequests };
    },
  };
}

type SavingsPage = ReturnType<MoneyQueries["savingsPage"]>;

async function contextOf(
  link: ReaderLink,
  { localContext, zone }: SavingsWish,
  months: readonly string[],
): Promise<SavingsReport["localContext"]> {
  if (localContext !== null) return { tokens: localContext, from: "served" };
  const [first, last] = [months.at(0), months.at(-1)];
  if (first === undefined || last === undefined) return { tokens: 0, from: "seen" };
  const span: TimeSpan = [spanOfMonth(first, zone)[0], spanOfMonth(last, zone)[1]];
  return { tokens: (await link.ask("largestLocalTokens", span)) ?? 0, from: "seen" };
}

interface CountedMonth {
  readonly sum: SavingsSum;
  readonly told: MonthSavings;
}

/** As reports tell it. */
function inReport(sum: SavingsSum): SavingsReport["total"] {
  const { requests, baselineNanos, actualNanos, unknown } = sum;
  const by = causes.map((cause) => ({ cause, nanos: sum.by[cause] }));
  return { requests, baselineNanos, actualNanos, savedNanos: savedNanos(sum), by, unknown };
}

function spanOfMonth(month: string, zone: string | null): TimeSpan {
  const { from, until } = spanOf("month", `${month}-01`);
  return [startOfDay(from, zone), startOfDay(until, zone)];
}

function daysOf(month: string): readonly string[] {
  const { from, until } = spanOf("month", `${month}-01`);
  return daysBetween(from, until);
}

/** Oldest first; the one that runs is the last. */
function monthsUpTo(firstMs: number | null, nowMs: number, zone: string | null): readonly string[] {
  const last = dayOf(nowMs, zone).slice(0, 7);
  const first = firstMs === null ? last : dayOf(firstMs, zone).slice(0, 7);
  const months = [last];
  for (let day = addDays(`${last}-01`, -1); day.slice(0, 7) >= first; day = addDays(`${day.slice(0, 7)}-01`, -1)) {
    if (months.length === mostMonths) break;
    months.unshift(day.slice(0, 7));
  }
  return months;
}
