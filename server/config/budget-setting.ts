/** `budgets` of the settings: what may be spent at providers, by whom or for what, and when it begins anew. Pure. */
import { z } from "zod";
import { parseBudgetOf } from "../domain/budget/budget.ts";
import { periods } from "../domain/budget/period.ts";
import { usdAmount } from "./setting-kinds.ts";

export const budgetName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be a word of small letters, digits and dashes");

export const budgetSetting = z.strictObject({
  usd: usdAmount,
  of: z
    .string()
    .max(210)
    .default("all")
    .refine(
      (text) => parseBudgetOf(text) !== null,
      'must be "all", or such as "person:Jonas", "key:3", "alias:coder", "provider:openai", with * for each of them',
    ),
  every: z.enum(periods).default("month"),
  hard: z.boolean().default(true),
  warnAt: z.number().min(0).max(1).default(0.8),
});

export const budgetsSetting = z.strictObject({
  outputTokens: z
    .int()
    .min(1)
    .max(16_777_216)
    .default(8192)
    .describe("Most tokens of an answer that nobody bounded, where a hard budget counts it"),
  unknownPrice: z
    .enum(["hold", "refuse"])
    .default("hold")
    .describe("Attempts without a known price, where a hard budget counts them: held at unknownPrice, or refused"),
  record: z
    .string()
    .trim()
    .max(1000)
    .default("")
    .describe("A file that gets a line of JSON for each change of a budget; relative: in the data folder; empty: none"),
  caps: z
    .record(budgetName, budgetSetting)
    .default({})
    .describe("Budgets by name: usd, of, every (day, week, month), hard, warnAt"),
});
