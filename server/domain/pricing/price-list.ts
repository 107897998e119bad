/**
 * Prices attempts from the price book, the owner's own prices and what providers say themselves. Pure; made once at the start.
 * Look-ups are exact: a model that nobody entered is `unknown`, never like another one.
 */
import type { Cost, Nanos } from "../money.ts";
import type { UpstreamUsage } from "../upstream-usage.ts";
import { type Fraction, type PriceRow, type ProviderPrices, type Rates, rowsOf } from "./book.ts";
import { nanosOf, partsOf } from "./cost.ts";
import { type HoldQuestion, worstParts } from "./hold.ts";
import type { PricedAttempt, PricedPart, PriceQuestion, Pricing } from "./priced.ts";

export interface PricingParts {
  readonly book: readonly ProviderPrices[];
  /** The owner's rows; each wins over the book while it holds. */
  readonly overrides: readonly PriceRow[];
  /** What a token of a model nobody knows is taken to cost when money is held for it. */
  readonly worstCase: Rates;
}

/** What to hold for an attempt before it is made. */
export interface Hold {
  readonly nanos: Nanos;
  /** Null: no price is known, and the configured worst case was taken. */
  readonly priceId: string | null;
  readonly parts: readonly PricedPart[];
}

export interface PriceList extends Pricing {
  /** Never less than what the book can make of that many tokens, whatever is cached, written or spoken. */
  worstCase(question: HoldQuestion): Hold;
  /** Null: unknown. */
  rowOf(provider: string, model: string, atMs: number): PriceRow | null;
  /** What credit at a provider costs on top of its face value; null: nothing. */
  creditFee(provider: string): Fraction | null;
}

export function createPricing({ book, overrides, worstCase }: PricingParts): PriceList {
  const providers = new Map(book.map((prices) => [prices.provider, prices]));
  const own = byModel(overrides);
  const listed = byModel(book.flatMap(rowsOf));

  const rowOf = (provider: string, model: string, atMs: number): PriceRow | null => {
    const key = keyOf(provider, model);
    const holds = ({ fromMs, untilMs }: PriceRow) => atMs >= fromMs && atMs < untilMs;
    return own.get(key)?.find(holds) ?? listed.get(key)?.find(holds) ?? null;
  };
  const isFree = (provider: string, model: string): boolean => {
    const suffix = providers.get(provider)?.freeSuffix;
    return suffix !== undefined && model.endsWith(suffix);
  };

  return {
    rowOf,
    creditFee: (provider) => providers.get(provider)?.creditFee ?? null,
    price(question) {
      const row = rowOf(question.provider, question.model, question.atMs);
      return settle(question, row, isFree(question.provider, question.model));
    },
    worstCase(question) {
      const row = rowOf(question.provider, question.model, question.atMs);
      const parts = worstParts(question, row, worstCase);
      return { nanos: nanosOf(parts).nanos, priceId: row?.id ?? null, parts };
    },
  };
}

function keyOf(provider: string, model: string): string {
  return `${provider}\n${model}`;
}

function byModel(rows: readonly PriceRow[]): ReadonlyMap<string, readonly PriceRow[]> {
  const found = new Map<string, PriceRow[]>();
  for (const row of rows) {
    for (const name of [row.model, ...(row.aliases ?? [])]) {
      const key = keyOf(row.provider, name);
      found.set(key, [...(found.get(key) ?? []), row]);
    }
  }
  return found;
}

/** From the book alone, then what the provider said about it. */
function settle(question: PriceQuestion, row: PriceRow | null, free: boolean): PricedAttempt {
  const { used } = question;
  const { computed, parts, flags } = compute(used, row, question.atMs);
  const reported = used.reported;
  const base = { computed, parts, priceId: row?.id ?? null, reportedNanos: reported?.nanos ?? null };
  const driftNanos = reported !== null && computed.known ? reported.nanos - computed.nanos : null;
  const isMeant = reported !== null && (reported.nanos > 0 || reported.free || free);
  if (isMeant) {
    const cost: Cost = { known: true, nanos: reported.nanos, basis: "billed" };
    return { ...base, cost, driftNanos, flags };
  }
  const ignored = reported !== null && !flags.includes("reported_zero_ignored");
  return { ...base, cost: computed, driftNanos, flags: ignored ? [...flags, "reported_zero_ignored"] : flags };
}

interface Computed {
  readonly computed: Cost;
  readonly parts: readonly PricedPart[];
  readonly flags: readonly string[];
}

function compute(used: UpstreamUsage, row: PriceRow | null, atMs: number): Computed {
  // Said to be nothing: that costs nothing, at whatever price.
  if (used.flags.includes("usage_all_zero") && Object.keys(used.toolCalls).length === 0) {
    return { computed: { known: true, nanos: 0, basis: "estimated" }, parts: [], flags: used.flags };
  }
  if (row === null) {
    return { computed: { known: false, reason: "unknown_price" }, parts: [], flags: [...used.flags, "unknown_price"] };
  }
  const { parts, flags } = partsOf(row, used, atMs);
  const { nanos, clamped } = nanosOf(parts);
  const all = [...used.flags, ...flags, ...(clamped ? ["cost_clamped"] : [])];
  return { computed: { known: true, nanos, basis: "estimated" }, parts, flags: all };
}
