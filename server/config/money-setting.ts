/** `power`, `tasks` and `savings` of the settings: what the box itself costs, what requests are for, and what to compare with. Pure. */
import { z } from "zod";
import { taskPattern } from "../domain/task.ts";

/** An amount in decimals, exactly as written; empty: not set. */
const amount = z
  .union([z.string().trim(), z.number().transform(String)])
  .pipe(
    z
      .string()
      .regex(/^$|^\d{1,6}(\.\d{1,6})?$/, 'must be an amount such as "0.32", with six decimals at most, or empty'),
  );
const someAmount = amount.refine((text) => text !== "" && Number(text) > 0, "must be more than 0");
/** More than any box on one socket draws. */
const watts = z.number().min(0).max(100_000);

export const powerSetting = z.strictObject({
  pricePerKwh: amount
    .default("")
    .describe("What a kilowatt-hour costs, in power.currency; empty: local work has no cost"),
  currency: z
    .string()
    .trim()
    .regex(/^[A-Z]{3}$/, 'must be three capital letters, such as "EUR"')
    .default("USD")
    .describe("The currency of the amounts of power; the ledger keeps US dollars"),
  usdPerUnit: someAmount.default("1").describe("US dollars for one unit of power.currency"),
  watts: watts.default(0).describe("What answering draws, beyond the base, where no GPU says it; 0: not stated"),
  baseWatts: watts.default(0).describe("What the rest of the box draws all the time; counted as idle"),
  wearPerHour: amount.default("").describe("Depreciation of the box for one hour; empty: none is counted"),
  rentPerHour: amount.default("").describe("Rent of the machine for one hour; empty: it is yours"),
});

export const tasksSetting = z
  .array(
    z
      .strictObject({
        task: z.string().regex(taskPattern, 'must be a word such as "code-review", 64 characters at most'),
        alias: z.string().min(1).max(200).optional(),
        key: z.string().min(1).max(100).optional(),
      })
      .refine(({ alias, key }) => alias !== undefined || key !== undefined, "must name an alias or a key's person"),
  )
  .max(200)
  .default([]);

const name = z.string().trim().max(300).default("");

export const savingsSetting = z.strictObject({
  provider: name.describe(
    "Savings are against all of it at this provider, as the price book names it; empty: none are shown",
  ),
  model: name.describe("Savings are against all of it on this model of savings.provider"),
  cacheHits: z
    .enum(["none", "same"])
    .default("none")
    .describe("The baseline's prompts: none cached, or as much cached as the actual provider had"),
});
