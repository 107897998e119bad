/**
 * What a price book says, as types. Pure. The data is in `book/`, one file per provider; lookups are in `price-list.ts`.
 *
 * The unit is pico-USD for one token, an integer: the same number as micro-USD for a million tokens, so `2_500_000` is $2.50 per
 * million. Nano-USD would round the cheapest cached token ($0.003625 per million is 3,625 picos), and halves of batches even more.
 */

/** Pico-USD (1e-12 USD) for one token or call, an integer. */
export type Picos = number;

export interface Fraction {
  readonly numerator: number;
  readonly denominator: number;
}

/** What one token of each kind costs. A kind that is left out has no rate of its own that we know of. */
export interface Rates {
  readonly prompt: Picos;
  readonly completion: Picos;
  /** Read from the provider's cache. Never derived from the prompt's: the ratio differs by model. */
  readonly cached?: Picos;
  readonly cacheWrite5m?: Picos;
  readonly cacheWrite1h?: Picos;
  readonly audioPrompt?: Picos;
  readonly audioCached?: Picos;
  readonly audioCompletion?: Picos;
}

/** A prompt of more than `above` tokens (cached and written ones included) puts the whole request at these rates. */
export interface LongPrompt {
  readonly above: number;
  readonly rates: Rates;
}

/** Days without a window although it is their weekday, and how far they are entered. */
export interface Holidays {
  /** `2026-10-01`, ascending. */
  readonly days: readonly string[];
  /** The first day of which nobody has entered whether it is one. */
  readonly knownUntil: string;
}

/** Hours with rates of their own. Everything is UTC. */
export interface PriceWindow {
  readonly name: string;
  /** 0 is Sunday. */
  readonly weekdays: readonly number[];
  /** Minutes of the day; the end is not part of it. */
  readonly minutes: readonly { readonly from: number; readonly until: number }[];
  readonly except: Holidays | null;
  readonly rates: Rates;
}

/** How a request is served, beside `standard`. */
export type ServiceName = "batch" | "flex" | "priority" | "fast";

/** A factor on the rates that apply otherwise (windows and long prompts included), or rates of its own. */
export type Service = Fraction | { readonly rates: Rates; readonly long?: readonly LongPrompt[] };

export type Services = Readonly<Partial<Record<ServiceName, Service>>>;

/** Where a figure was read, and when. */
export interface Provenance {
  readonly source: string;
  /** `2026-11-20`: the day somebody compared the row with its source. */
  readonly checked: string;
}

/** One price of one model, as a provider's file has it; what is left out is the provider's own. */
export interface BookRow extends Partial<Provenance> {
  /** Exactly as the upstream takes it. No prefix of it and no longer name means this row. */
  readonly model: string;
  /** Further exact names of the same model at the same price. */
  readonly aliases?: readonly string[];
  /** ISO time or day (UTC) from which it holds; absent: since ever. */
  readonly from?: string;
  /** The first instant at which it no longer holds; absent: until further notice. */
  readonly until?: string;
  readonly rates: Rates;
  /** Ascending by `above`. */
  readonly long?: readonly LongPrompt[];
  readonly windows?: readonly PriceWindow[];
  readonly services?: Services;
  /** Pico-USD for each request. */
  readonly perRequest?: Picos;
  /** Pico-USD for one call of a provider's own tool, by its name for it. */
  readonly toolFees?: Readonly<Record<string, Picos>>;
  readonly note?: string;
}

/** A row with everything filled in. */
export interface PriceRow extends Omit<BookRow, keyof Provenance>, Provenance {
  readonly provider: string;
  /** `anthropic/claude-sonnet-5-5@2026-10-07`: what ledger rows keep. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly services: Services;
  readonly toolFees: Readonly<Record<string, Picos>>;
}

/** One provider's file. */
export interface ProviderPrices extends Provenance {
  readonly provider: string;
  /** Where its answers say what they cost. */
  readonly reportedCost?: "cost" | "estimated_cost";
  /** Models whose names end so are free, and a reported 0 is meant. */
  readonly freeSuffix?: string;
  /**
   * What is paid on top when credit is bought. It is not part of an attempt's cost, which is what the provider takes off the
   * credit and what its own bill says; whoever compares providers adds it.
   */
  readonly creditFee?: Fraction;
  /** For every row that has none of its own. */
  readonly services?: Services;
  readonly toolFees?: Readonly<Record<string, Picos>>;
  readonly rows: readonly BookRow[];
  /** What is not entered, and why. */
  readonly leftOut?: readonly { readonly what: string; readonly why: string }[];
}

export const half: Fraction = Object.freeze({ numerator: 1, denominator: 2 });
export const twice: Fraction = Object.freeze({ numerator: 2, denominator: 1 });

/** The rows of a provider's file, complete. */
export function rowsOf(prices: ProviderPrices): PriceRow[] {
  const { provider, source, checked, services = {}, toolFees = {} } = prices;
  return prices.rows.map((row) => ({
    source,
    checked,
    services,
    toolFees,
    ...row,
    provider,
    id: `${provider}/${row.model}@${row.from ?? "start"}`,
    fromMs: row.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(row.from),
    untilMs: row.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(row.until),
  }));
}
