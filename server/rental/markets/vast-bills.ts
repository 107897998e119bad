/**
 * What Vast.ai has billed: `GET /charges/`, a row for each instance, its items by what they are for, rounded to a tenth of a cent. Source:
 * docs.vast.ai/api-reference/billing/show-charges, 2026-08. Runs in the server.
 *
 * Asked for many days a row may be one day's or, as its documentation shows, all of them in one. Then each day is asked for alone.
 */
import { z } from "zod";
import { addDays, type Day, daysBetween, startOfUtcDay, utcDayOf } from "../../domain/day.ts";
import { Failure } from "../../domain/failure.ts";
import { type Attos, attosOf } from "../../domain/reconcile/exact-amount.ts";
import type { RentalBillLine } from "../../domain/rental/market.ts";
import { numberOf } from "./amounts.ts";
import { callMarket, type MarketWire, readAs, wireText as text } from "./call.ts";

const charge = z.looseObject({
  start: text,
  end: text,
  source: text,
  items: z
    .array(z.looseObject({ type: text, amount: text }))
    .max(1_000)
    .nullish(),
  amount: text,
});
type Charge = z.output<typeof charge>;
const chargePage = z.looseObject({ results: z.array(charge).max(10_000), next_token: z.string().nullish() });
const chargeParts = Object.freeze({ gpu: "gpu", disk: "storage", bwd: "traffic", bwu: "traffic" } as const);
const mostPages = 200;

/** Lines of the days from, and until, not included. */
export async function chargesOf(
  wire: MarketWire,
  from: Day,
  until: Day,
  signal: AbortSignal,
): Promise<readonly RentalBillLine[]> {
  const rows = await rowsOf(wire, from, until, signal);
  if (rows.every((row) => isOneDay(row))) return rows.flatMap((row) => linesOf(row, null));
  const lines: RentalBillLine[] = [];
  for (const day of daysBetween(from, until)) {
    for (const row of await rowsOf(wire, day, addDays(day, 1), signal)) lines.push(...linesOf(row, day));
  }
  return lines;
}

async function rowsOf(wire: MarketWire, from: Day, until: Day, signal: AbortSignal): Promise<readonly Charge[]> {
  const day = { gte: startOfUtcDay(from) / 1000, lte: startOfUtcDay(until) / 1000 - 1 };
  const filters = JSON.stringify({ day, type: { in: ["instance"] } });
  const rows: Charge[] = [];
  let token: string | null = null;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const query = new URLSearchParams({ format: "table", latest_first: "false", limit: "500" });
    query.set("select_filters", filters);
    if (token !== null) query.set("after_token", token);
    const { body } = await callMarket(wire, { method: "GET", path: `/charges/?${query}` }, signal);
    const page = readAs(chargePage, body, wire.title);
    for (const row of page.results) rows.push(row);
    token = page.next_token ?? null;
    if (token === null) return rows;
  }
  throw new Failure("upstream_failed", `The pages of the bill of ${wire.title} do not come to an end.`);
}

function isOneDay({ start, end }: Charge): boolean {
  const [startS, endS] = [numberOf(start), numberOf(end)];
  return startS === null || endS === null || endS <= startS || utcDayOf(startS * 1000) === utcDayOf(endS * 1000);
}

/** `asked`: the day that was asked for alone; null: the row says it. */
function linesOf({ start, source, items, amount }: Charge, asked: Day | null): readonly RentalBillLine[] {
  const instanceId = /^instance-(\d+)$/.exec(source ?? "")?.[1];
  const startS = numberOf(start);
  if (instanceId === undefined || (startS === null && asked === null)) return [];
  const day = asked ?? utcDayOf((startS ?? 0) * 1000);
  const parts = (items ?? []).map(({ type, amount: part }): RentalBillLine => {
    const what = chargeParts[(type ?? "") as keyof typeof chargeParts] ?? "other";
    return { day, instanceId, part: what, attos: attosOf(part ?? "none", "usd") };
  });
  if (parts.length === 0) return [{ day, instanceId, part: "all", attos: attosOf(amount ?? "none", "usd") }];
  return [...parts, ...restOf(amount, parts).map((attos) => ({ day, instanceId, part: "other" as const, attos }))];
}

/** Each part is rounded, and so is the row, whose amount is what is paid: what the parts lack of it, or have too much. */
function restOf(amount: Charge["amount"], parts: readonly RentalBillLine[]): readonly (Attos | null)[] {
  if (amount === undefined || amount === null) return [];
  const whole = attosOf(amount, "usd");
  if (whole === null) return [null];
  const rest = parts.reduce((left, { attos }) => left - (attos ?? 0n), whole);
  return rest === 0n ? [] : [rest];
}
