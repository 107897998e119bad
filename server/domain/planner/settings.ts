/**
 * What a plan counts with: each setting's meaning, bounds, and what is assumed where nobody gave it and this box did not measure it. Data
 * and one rule, pure. The options of `lanthorn plan`, its list of assumptions and docs/planning.md are made of this table.
 */
import type { Figure } from "./figure.ts";

export interface SettingKind {
  readonly option: string;
  readonly unit: string;
  readonly means: string;
  readonly least: number;
  readonly most: number;
  /** Decimals that may be given. */
  readonly decimals: number;
  /** Null: left out of the sums unless known. */
  readonly assumed: number | null;
  readonly from: string;
}

const guide = "deployment guide";
const ours = "our own guess";

export const settingKinds = Object.freeze({
  users: kind("--users", "users", "people or agents that ask", [1, 10_000_000, 0], 100, `${guide}, line 261`),
  queriesPerUserDay: kind(
    "--queries-per-user",
    "a day",
    "queries of one user",
    [0, 100_000, 2],
    20,
    `${guide}, line 262`,
  ),
  daysPerMonth: kind("--days", "a month", "days on which they ask", [1, 31, 0], 30, `${guide}, line 318`),
  promptTokens: kind("--tokens-in", "tokens", "prompt of one query", [0, 10_000_000, 0], 500, `${guide}, line 267`),
  completionTokens: kind("--tokens-out", "tokens", "answer to one query", [0, 1_000_000, 0], 300, `${guide}, line 268`),
  answersFromCachePercent: kind("--cache-hits", "%", "queries answered from a response cache", [0, 100, 2], 0, ours),
  cachedPromptPercent: kind(
    "--cached-prompt",
    "%",
    "prompt tokens in the provider's prefix cache",
    [0, 100, 2],
    0,
    ours,
  ),
  batchPercent: kind("--batch", "%", "queries that may wait a day", [0, 100, 2], 0, ours),
  localPercent: kind(
    "--local",
    "%",
    "hybrid: queries answered on GPUs of one's own",
    [0, 100, 2],
    80,
    `${guide}, line 135`,
  ),
  activeHoursPerDay: kind(
    "--active-hours",
    "h a day",
    "hours in which the queries come",
    [1, 24, 1],
    8,
    `${ours}: an office day`,
  ),
  peakFactor: kind("--peak", "times", "busiest moment over the average of those hours", [1, 100, 1], 3, ours),
  decodePerSecond: kind(
    "--decode",
    "tok/s",
    "what one GPU generates, all answers together",
    [0.1, 1_000_000, 1],
    40,
    `${guide}, line 182: 30-50 for 7B on a T4, the middle`,
  ),
  parametersBillions: kind(
    "--params",
    "billion",
    "parameters of a model of one's own",
    [0.1, 2000, 2],
    7,
    `${guide}, line 219`,
  ),
  bitsPerParameter: kind(
    "--bits",
    "bits",
    "each is kept in; 4.85 is Q4_K_M",
    [1, 32, 2],
    16,
    `${guide}, line 182: 14 GB`,
  ),
  prefillPerSecond: kind("--prefill", "tok/s", "prompt tokens one GPU reads", [0.1, 10_000_000, 1], null, "left out"),
  hoursPerMonth: kind("--hours-per-month", "h", "hours a rented machine runs", [1, 744, 1], 730, `${guide}, line 155`),
  reservedPercent: kind("--reserved", "%", "off the machines for a promise of years", [0, 90, 1], 0, ours),
  apiSurroundingsUsd: kind(
    "--api-surroundings",
    "$ a month",
    "small servers beside an API",
    [0, 1_000_000, 2],
    300,
    `${guide}, line 335`,
  ),
  apiOperationsUsd: kind(
    "--api-operations",
    "$ a month",
    "people's time with an API",
    [0, 1_000_000, 2],
    200,
    `${guide}, line 336`,
  ),
  operationsUsd: kind(
    "--operations",
    "$ a month",
    "people's time with GPUs",
    [0, 1_000_000, 2],
    500,
    `${guide}, line 326`,
  ),
  operationsPerGpuUsd: kind(
    "--operations-per-gpu",
    "$ a month",
    "and for each GPU",
    [0, 1_000_000, 2],
    200,
    `${guide}, line 326`,
  ),
  boxUsd: kind(
    "--box-price",
    "$",
    "a machine of one's own",
    [0, 1_000_000, 2],
    2500,
    `${ours}: one card of 24 GB and what it stands in`,
  ),
  boxMonths: kind("--box-months", "months", "over which its price is spread", [1, 120, 0], 36, ours),
  busyWatts: kind("--watts", "W", "it draws while it computes", [0, 100_000, 0], 450, ours),
  idleWatts: kind("--idle-watts", "W", "and while it waits", [0, 100_000, 0], 80, ours),
  kwhUsd: kind("--kwh", "$", "a kilowatt-hour", [0, 10, 4], 0.3, ours),
} satisfies Record<string, SettingKind>);

export type SettingName = keyof typeof settingKinds;
export const settingNames: readonly SettingName[] = Object.freeze(Object.keys(settingKinds) as SettingName[]);

export type KnownSettings = Readonly<Partial<Record<SettingName, Figure>>>;
/** Null: not known, and nothing is assumed. */
export type Settings = Readonly<Record<SettingName, Figure | null>>;

function kind(
  option: string,
  unit: string,
  means: string,
  [least, most, decimals]: readonly [number, number, number],
  assumed: number | null,
  from: string,
): SettingKind {
  return { option, unit, means, least, most, decimals, assumed, from };
}

/** What was given wins over what was measured, and that over what is assumed. */
export function settle(given: Readonly<Partial<Record<SettingName, number>>>, measured: KnownSettings): Settings {
  const entries = settingNames.map((name): [SettingName, Figure | null] => {
    const { option, assumed, from }: SettingKind = settingKinds[name];
    const value = given[name];
    if (value !== undefined) return [name, { value, basis: "given", from: option }];
    const known = measured[name];
    if (known !== undefined) return [name, known];
    return [name, assumed === null ? null : { value: assumed, basis: "assumed", from }];
  });
  return Object.fromEntries(entries) as Settings;
}

/** Null: it may be given. Else what may be. */
export function refusalOf(name: SettingName, value: number): string | null {
  const { least, most, decimals }: SettingKind = settingKinds[name];
  const isWritten = Number.isFinite(value) && Number(value.toFixed(decimals)) === value;
  if (isWritten && value >= least && value <= most) return null;
  const digits = decimals === 0 ? "A whole number" : `A number with at most ${decimals} decimals`;
  return `${digits} from ${least} to ${most}.`;
}
