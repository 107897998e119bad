/**
 * The settings of one alias below `routes:`. Pure. Judges the form and spells short forms out; whether targets and other aliases
 * exist is judged where backends are known (`domain/routing/resolve.ts`).
 */
import { z } from "zod";
import { meanwhiles } from "../domain/rental/power.ts";
import { routeModes } from "../domain/routing/modes.ts";
import type { RouteSetting } from "../domain/routing/settings.ts";
import { strategyIds } from "../domain/routing/strategies/index.ts";
import { dataClasses } from "../domain/routing/target.ts";
import { weekdays } from "../domain/routing/zoned-time.ts";
import { isZone } from "./zone-setting.ts";

const name = z.string().trim().min(1).max(200);
const data = z.enum(dataClasses);
const tokens = z.int().min(1).max(1_000_000_000);
const milliseconds = z.int().min(1).max(86_400_000);

/** One word where several may stand. Short forms are spelled out before they are judged, so that a complaint names its place. */
const listOf = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(item).min(1).max(100));
const words = listOf(name);

/** `engine/qwen` is `{ target: engine/qwen }`. */
const target = z.preprocess(
  (value) => (typeof value === "string" ? { target: value } : value),
  z.strictObject({
    target: name,
    weight: z.number().positive().max(1_000_000).optional(),
    region: name.optional(),
    data: data.optional(),
    context: tokens.optional(),
  }),
);
const targets = z.array(target).min(1).max(100);

/** A target or a list of targets is a group of them. */
const group = z.preprocess(
  (value) => {
    if (typeof value === "string") return { targets: [value] };
    return Array.isArray(value) ? { targets: value } : value;
  },
  z.strictObject({
    name: name.optional(),
    targets,
    strategy: z.enum(strategyIds).optional(),
    prefer: z.array(name).max(50).optional(),
  }),
);

const span = z
  .strictObject({ over: z.int().min(0).optional(), upTo: z.int().min(0).optional() })
  .refine(({ over, upTo }) => over !== undefined || upTo !== undefined, 'must say "over", "upTo" or both');

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as "22:00"');

const zone = name.refine(isZone, 'must be a time zone such as "Europe/Berlin"');

const conditions = z.strictObject({
  promptTokens: span.optional(),
  contextNeed: span.optional(),
  tools: z.boolean().optional(),
  images: z.boolean().optional(),
  jsonSchema: z.boolean().optional(),
  caller: words.optional(),
  role: words.optional(),
  task: words.optional(),
  tier: words.optional(),
  data: listOf(data).optional(),
  time: z
    .strictObject({
      from: clockTime,
      to: clockTime,
      days: z.array(z.enum(weekdays)).min(1).optional(),
      zone: zone.optional(),
    })
    .optional(),
  budgetLeftBelow: z.number().min(0).max(1).optional(),
});

const rule = z
  .strictObject({
    name: name.optional(),
    when: conditions,
    /** Groups by name or by number, counted from 1. */
    use: listOf(z.union([name, z.int().min(1)], { error: "must be the name or the number of a group" })).optional(),
    route: name.optional(),
  })
  .refine(({ use, route }) => (use === undefined) !== (route === undefined), 'must have either "use" or "route"');

const share = z.number().min(0).max(1);
const unsure = z.enum(["accept", "escalate", "judge"]);

const modes = {
  cascade: z
    .strictObject({
      threshold: share.optional(),
      calibration: z.record(name, share).optional(),
      withoutLogprobs: unsure.optional(),
      toolCalls: unsure.optional(),
      judge: name.optional(),
      judgeWhen: z.enum(["unsure", "always"]).optional(),
      whenNoneLeft: z.enum(["answer", "fail"]).optional(),
    })
    .optional(),
  consensus: z
    .strictObject({
      rounds: z.int().min(1).max(3).optional(),
      agree: z.enum(["majority", "all"]).optional(),
      judge: name.optional(),
    })
    .optional(),
  brief: z
    .strictObject({
      over: tokens,
      by: name,
      keepTurns: z.int().min(1).max(100).optional(),
      maxTokens: tokens.optional(),
    })
    .optional(),
  classify: z
    .strictObject({
      by: name,
      tiers: z.record(z.string().trim().toLowerCase().min(1).max(100), z.string().min(1).max(1_000)),
      otherwise: z.string().trim().toLowerCase().min(1).max(100),
    })
    .optional(),
  shadow: z.strictObject({ target: name, share, perDayUsd: z.number().min(0).max(1_000_000) }).optional(),
};

const limits = {
  ...modes,
  mode: z.enum(Object.keys(routeModes) as [keyof typeof routeModes]).optional(),
  rules: z.array(rule).max(100).optional(),
  retries: z.int().min(0).max(10).optional(),
  maxAttempts: z.int().min(1).max(50).optional(),
  deadlineMs: milliseconds.optional(),
  firstTokenMs: milliseconds.optional(),
  maxQueueWaitMs: milliseconds.optional(),
  maxOutputTokens: tokens.optional(),
  localOnly: z.boolean().optional(),
  dataClass: data.optional(),
  regions: z.array(name).max(50).optional(),
  fallbackOn: z
    .array(z.enum(["content-filter"]))
    .max(1)
    .optional(),
  whileAsleep: z.enum(meanwhiles).optional(),
};

/** A target, a list of targets tried in order, one group's own fields, or groups: all become groups. */
function spelledOut(value: unknown): unknown {
  if (typeof value === "string" || Array.isArray(value)) return { groups: [value] };
  if (typeof value !== "object" || value === null || !("targets" in value) || "groups" in value) return value;
  const { targets: members, strategy, prefer, ...rest } = value as Readonly<Record<string, unknown>>;
  const one = Object.entries({ targets: members, strategy, prefer }).filter(([, field]) => field !== undefined);
  return { groups: [Object.fromEntries(one)], ...rest };
}

export const routeSetting = z.preprocess(
  spelledOut,
  z.strictObject({ groups: z.array(group).min(1).max(20), ...limits }).transform((setting): RouteSetting => setting),
);

/** What clients write as `model`. */
const alias = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\s\p{Cc}\p{Cs},]+$/u, "must be one word without spaces and commas");

export const routesSetting = z.record(alias, routeSetting);
