/** `prices` and `unknownPrice` of the settings: the owner's own prices, and what is held where there is none. Pure. */
import { z } from "zod";
import { anyText } from "./setting-kinds.ts";

/** US dollars in decimals, exactly as written: `"0.003625"`, or a number whose digits say the same. */
const usd = z
  .union([z.string(), z.number().transform(String)])
  .pipe(z.string().regex(/^\d{1,6}(\.\d{1,6})?$/, 'must be an amount such as "0.25", with six decimals at most'));
/** A day or a moment, in UTC. */
const utcTime = z.union([z.iso.date(), z.iso.datetime()], {
  error: 'must be a day such as "2026-12-31" or a UTC time such as "2026-12-31T16:00:00Z"',
});

/** US dollars per million tokens; what is left out is taken at the price of the prompt. */
export const price = z.strictObject({
  provider: anyText.describe("The provider's name"),
  model: anyText.describe("The model, exactly as the provider names it"),
  aliases: z.array(anyText).max(100).optional().describe("Further exact names at the same price"),
  prompt: usd,
  completion: usd,
  cached: usd.optional(),
  cacheWrite5m: usd.optional(),
  cacheWrite1h: usd.optional(),
  perRequest: usd.optional().describe("US dollars for each request, not for a million"),
  batchAtHalf: z.boolean().optional().describe("Batches cost half"),
  from: utcTime.optional(),
  until: utcTime.optional(),
});

/** Dearer than any model of the price book at its standard price. */
export const unknownPrice = z.strictObject({
  prompt: usd.default("30").describe("Held per million tokens of a prompt when a model has no known price, in USD"),
  completion: usd
    .default("75")
    .describe("Held per million tokens of an answer when a model has no known price, in USD"),
});
