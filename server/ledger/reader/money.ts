/**
 * Questions about money that need single requests: what they saved, what this box cost, what was spent in a span of time. Runs on
 * the reader thread, a page at a time, so that no question keeps others waiting.
 */
import type Database from "better-sqlite3";
import { priceBook } from "../../domain/pricing/book/index.ts";
import type { PriceRow } from "../../domain/pricing/book.ts";
import { createPricing, type PriceList } from "../../domain/pricing/price-list.ts";
import type { ServiceTier } from "../../domain/chat.ts";
import { type Baseline, type ComparedAttempt, type ComparedRequest, compare } from "../../domain/savings/causes.ts";
import { addSavings, noUse, nothingSaved, type SavingsSum, savingsOf, type TaskUse } from "../../domain/savings/sum.ts";
import type { MoneyQueries, PowerTotals, SavingsPlace, SavingsQuestion, Spent } from "../money-records.ts";
import { type TokenColumns, usageOf } from "./rows.ts";

/** Requests of one page: about 20 ms on a small machine. */
const pageSize = 1_000;

interface Row extends TokenColumns {
  readonly number: number;
  readonly started_at_ms: number;
  readonly status: string;
  readonly dialect: string;
  readonly task: string | null;
  readonly ok: number | null;
  /** Null in a request without attempts, and then so is all that follows, and the tokens. */
  readonly target: string | null;
  readonly reason: string;
  readonly attempt_status: string;
  readonly provider: string | null;
  readonly upstream_model: string | null;
  readonly service_tier: string | null;
  readonly kept_prompt_tokens: number | null;
  readonly kept_completion_tokens: number | null;
  readonly cost_nanos: number | null;
}

interface PageValues {
  readonly from: number;
  readonly to: number;
  readonly at: number;
  readonly after: number;
  readonly limit: number;
}

export function prepareMoneyQueries(database: Database.Database): MoneyQueries {
  const page = database.prepare<[PageValues], Row>(
    `SELECT r.number, r.started_at_ms, r.status, r.dialect, r.task, f.ok, a.target, a.reason, a.status AS attempt_status,
       a.provider, a.upstream_model, a.service_tier, a.prompt_tokens, a.cached_tokens, a.completion_tokens,
       a.reasoning_tokens, a.cache_write_5m_tokens, a.cache_write_1h_tokens, a.kept_prompt_tokens,
       a.kept_completion_tokens, a.cost_nanos
     FROM (
       SELECT number, started_at_ms, status, dialect, task FROM requests
       WHERE started_at_ms >= $from AND started_at_ms < $to AND (started_at_ms, number) > ($at, $after)
       ORDER BY started_at_ms, number LIMIT $limit
     ) AS r LEFT JOIN attempts AS a ON a.request = r.number LEFT JOIN feedback AS f ON f.request = r.number
     ORDER BY r.started_at_ms, r.number, a.number`,
  );
  const power = database.prepare<[number, number], PowerTotals>(
    `SELECT coalesce(sum(metered_ms), 0) AS meteredMs, coalesce(sum(unknown_ms), 0) AS unknownMs,
       coalesce(sum(milliwatt_ms), 0) AS milliwattMs, coalesce(sum(base_milliwatt_ms), 0) AS baseMilliwattMs,
       coalesce(sum(energy_nanos), 0) AS energyNanos, coalesce(sum(base_nanos), 0) AS baseNanos,
       coalesce(sum(wear_nanos), 0) AS wearNanos, coalesce(sum(rent_nanos), 0) AS rentNanos,
       coalesce(sum(used_nanos), 0) AS usedNanos, coalesce(sum(load_nanos), 0) AS loadNanos,
       coalesce(sum(unbooked_nanos), 0) AS unbookedNanos,
       coalesce(sum(energy_nanos + base_nanos + wear_nanos + rent_nanos - used_nanos - load_nanos), 0) AS idleNanos
     FROM power WHERE from_ms >= ? AND from_ms < ?`,
  );
  const spent = database.prepare<[number, number], Spent>(
    `SELECT coalesce(sum(known_nanos), 0) AS knownNanos,
       count(*) FILTER (WHERE cost_basis IN ('not_priced', 'unknown_price') AND unknown_attempts > 0) AS unknownRequests
     FROM requests WHERE started_at_ms >= ? AND started_at_ms < ?`,
  );
  const first = database.prepare<[], { first: number | null }>("SELECT min(started_at_ms) AS first FROM requests");
  const kept = database.prepare<[], { from: number }>('SELECT from_ms AS "from" FROM rows_kept');
  const largest = database.prepare<[number, number], { largest: number | null }>(
    `SELECT max(a.prompt_tokens + a.completion_tokens) AS largest
     FROM requests AS r JOIN attempts AS a ON a.request = r.number
     WHERE r.started_at_ms >= ? AND r.started_at_ms < ? AND a.provider IS NULL AND a.status = 'done'`,
  );
  const pricingOf = rememberedPricing();
  return {
    savingsPage(question) {
      const { fromMs, toMs, after } = question;
      const place = { at: after?.atMs ?? -1, after: after?.number ?? 0 };
      const rows = page.all({ from: fromMs, to: toMs, ...place, limit: pageSize });
      return pageOf(rows, question, pricingOf(question.overrides));
    },
    power: (spans) => spans.map(([fromMs, toMs]) => power.get(fromMs, toMs) ?? noPower),
    spent: ([fromMs, toMs]) => spent.get(fromMs, toMs) ?? { knownNanos: 0, unknownRequests: 0 },
    rowsFromMs: () => kept.get()?.from ?? 0,
    firstRequestMs: () => first.get()?.first ?? null,
    largestLocalTokens: ([fromMs, toMs]) => largest.get(fromMs, toMs)?.largest ?? null,
  };
}

const noPower: PowerTotals = Object.freeze({
  ...{ meteredMs: 0, unknownMs: 0, milliwattMs: 0, baseMilliwattMs: 0, energyNanos: 0, baseNanos: 0, wearNanos: 0 },
  ...{ rentNanos: 0, usedNanos: 0, loadNanos: 0, unbookedNanos: 0, idleNanos: 0 },
});

/** The owner's prices come with each page, and are mostly those of the last one. */
function rememberedPricing(): (overrides: readonly PriceRow[]) => PriceList {
  let last: { readonly key: string; readonly pricing: PriceList } | null = null;
  return (overrides) => {
    const key = JSON.stringify(overrides);
    if (last?.key !== key) {
      const worstCase = { prompt: 0, completion: 0 };
      last = { key, pricing: createPricing({ book: priceBook, overrides, worstCase }) };
    }
    return last.pricing;
  };
}

function pageOf(
  rows: readonly Row[],
  { baseline, localContext }: SavingsQuestion,
  pricing: PriceList,
): { readonly sum: SavingsSum; readonly next: SavingsPlace | null } {
  let sum = nothingSaved;
  let requests = 0;
  for (let at = 0; at < rows.length; ) {
    const first = rows[at];
    if (first === undefined) break;
    let end = at;
    while (rows[end]?.number === first.number) end += 1;
    const of = rows.slice(at, end);
    at = end;
    requests += 1;
    // What runs has no cost yet, and what was refused has none.
    if (first.status === "open" || first.target === null) continue;
    sum = addSavings(sum, counted(of, first, { baseline, localContext, pricing }));
  }
  const last = rows.at(-1);
  const next = last === undefined || requests < pageSize ? null : { atMs: last.started_at_ms, number: last.number };
  return { sum, next };
}

function counted(
  rows: readonly Row[],
  first: Row,
  by: { readonly baseline: Baseline; readonly localContext: number; readonly pricing: PriceList },
): SavingsSum {
  const request: ComparedRequest = {
    startedAtMs: first.started_at_ms,
    status: first.status,
    isCopy: first.dialect === "shadow",
    attempts: rows.map(attemptOf),
  };
  const sum = savingsOf(compare(request, by.baseline, by.pricing));
  if (first.task === null || request.isCopy) return sum;
  const use = taskUse(request, first.ok === 0, by.localContext);
  return use === null ? sum : { ...sum, tasks: { [first.task]: use } };
}

/** Where it ran in the end, as far as advice goes; null: nowhere that says anything. */
function taskUse({ status, attempts }: ComparedRequest, saidNotOk: boolean, localContext: number): TaskUse | null {
  const last = attempts.at(-1);
  if (last === undefined || last.keptUsage !== null) return null;
  const tokens = last.usage.promptTokens + last.usage.completionTokens;
  const cost = last.costNanos;
  if (last.provider === null) {
    if (!last.target.startsWith("engine/")) return null;
    if (status === "failed" || saidNotOk) return { ...noUse, localBad: 1 };
    if (status !== "done") return null;
    return cost === null ? { ...noUse, local: 1 } : { ...noUse, local: 1, localTokens: tokens, localNanos: cost };
  }
  if (status !== "done" || tokens > localContext) return null;
  if (cost === null) return { ...noUse, awayUnknown: 1 };
  return { ...noUse, away: 1, awayTokens: tokens, awayNanos: cost };
}

function attemptOf(row: Row): ComparedAttempt {
  return {
    provider: row.provider,
    model: row.upstream_model,
    target: row.target ?? "",
    reason: row.reason,
    status: row.attempt_status,
    usage: usageOf(row),
    keptUsage:
      row.kept_prompt_tokens === null || row.kept_completion_tokens === null
        ? null
        : { promptTokens: row.kept_prompt_tokens, completionTokens: row.kept_completion_tokens },
    serviceTier: tiers.find((tier) => tier === row.service_tier) ?? "standard",
    costNanos: row.cost_nanos,
  };
}

const tiers: readonly ServiceTier[] = ["standard", "batch", "flex", "priority"];
