/**
 * The owner's own prices, as the settings have them (US dollars per million tokens, in decimals), as rows of the price book. Pure
 * and exact: the digits are moved, nothing is multiplied.
 */
import { digitsOf } from "../decimal.ts";
import { half, type PriceRow, type Rates, type Services } from "./book.ts";

/** Decimal texts: `"0.25"`. Six decimals at most: less than a pico-USD per token does not exist. */
export interface PriceSetting {
  readonly provider: string;
  readonly model: string;
  readonly aliases?: readonly string[] | undefined;
  readonly prompt: string;
  readonly completion: string;
  readonly cached?: string | undefined;
  readonly cacheWrite5m?: string | undefined;
  readonly cacheWrite1h?: string | undefined;
  /** US dollars for each request. */
  readonly perRequest?: string | undefined;
  /** Half price for batches. */
  readonly batchAtHalf?: boolean | undefined;
  /** ISO days or times, UTC. */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

const picoDecimals = 6;

/** US dollars per million → pico-USD for one. */
export function picosOfUsdPerMillion(text: string): number {
  return Number(digitsOf(text, picoDecimals));
}

export function ratesOfSetting(setting: Omit<PriceSetting, "provider" | "model">): Rates {
  const { cached, cacheWrite5m, cacheWrite1h } = setting;
  return {
    prompt: picosOfUsdPerMillion(setting.prompt),
    completion: picosOfUsdPerMillion(setting.completion),
    ...(cached !== undefined && { cached: picosOfUsdPerMillion(cached) }),
    ...(cacheWrite5m !== undefined && { cacheWrite5m: picosOfUsdPerMillion(cacheWrite5m) }),
    ...(cacheWrite1h !== undefined && { cacheWrite1h: picosOfUsdPerMillion(cacheWrite1h) }),
  };
}

export function overrideRow(setting: PriceSetting): PriceRow {
  const { provider, model, aliases, from, until, perRequest } = setting;
  const services: Services = setting.batchAtHalf === true ? { batch: half } : {};
  return {
    provider,
    model,
    ...(aliases !== undefined && { aliases }),
    ...(from !== undefined && { from }),
    ...(until !== undefined && { until }),
    id: `own/${provider}/${model}@${from ?? "start"}`,
    fromMs: from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from),
    untilMs: until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until),
    rates: ratesOfSetting(setting),
    services,
    toolFees: {},
    // A dollar for a request is a million times a dollar for a million of them.
    ...(perRequest !== undefined && { perRequest: picosOfUsdPerMillion(perRequest) * 1_000_000 }),
    source: "settings",
    checked: ownerChecks,
  };
}

/** The owner's word does not grow old. */
const ownerChecks = "9999-12-31";

/** What `createPricing` needs of the settings. */
export function pricesOfSettings(
  prices: readonly PriceSetting[],
  unknownPrice: { readonly prompt: string; readonly completion: string },
): { readonly overrides: readonly PriceRow[]; readonly worstCase: Rates } {
  return { overrides: prices.map(overrideRow), worstCase: ratesOfSetting(unknownPrice) };
}
