/**
 * A skewed year of requests, the same for a seed: 200 keys and 60 models of which a few do most, busy hours and quiet nights, growth
 * over the year, 3 % failures, and what a real row carries besides. Data only; nothing of it was ever asked by anybody.
 */
import { type Random, seeded } from "../../support/random.ts";

export const yearBeginMs = Date.UTC(2025, 10, 1);
export const yearMs = 365 * 86_400_000;
export const yearEndMs = yearBeginMs + yearMs;
export const keyCount = 200;
export const modelCount = 60;

const providers = ["openai", "anthropic", "groq", "openrouter"];
/** One in five models runs on the box itself: nothing is priced there. */
const isLocal = (model: number) => model % 5 === 0;

export interface YearAttempt {
  readonly target: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly reason: string;
  readonly status: "done" | "failed";
  readonly failureCode: string | null;
  readonly offsetMs: number;
  readonly durationMs: number;
  readonly tokens: readonly [prompt: number, cached: number, completion: number, reasoning: number];
  readonly costNanos: number | null;
  readonly costBasis: string;
  readonly priceId: string | null;
  readonly parts: string | null;
  readonly rawUsage: string | null;
}

export interface YearRequest {
  readonly id: string;
  readonly startedAtMs: number;
  readonly key: number;
  readonly alias: string;
  readonly stream: 0 | 1;
  readonly status: "done" | "failed";
  readonly attempts: readonly YearAttempt[];
  readonly plan: string;
}

/** Cumulated shares, the first the largest: one in `n` of the first for the n-th, flattened a little. */
export function skewed(count: number): (at: number) => number {
  const ends: number[] = [];
  let sum = 0;
  for (let index = 0; index < count; index += 1) {
    sum += 1 / (index + 1) ** 0.9;
    ends.push(sum);
  }
  return (at) => {
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) < at * sum) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** How busy each hour of the year is, relative to the others: office days, and twice as much at its end as at its beginning. */
function hourWeights(): readonly number[] {
  return Array.from({ length: 365 * 24 }, (_, hour) => {
    const ofDay = hour % 24;
    const weekday = new Date(yearBeginMs + hour * 3_600_000).getUTCDay();
    const office = 0.15 + Math.max(0, Math.sin(((ofDay - 6) / 14) * Math.PI));
    return office * (weekday === 0 || weekday === 6 ? 0.25 : 1) * (1 + hour / (365 * 24));
  });
}

const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** As ids are made: `req_`, 7 letters for the millisecond, and 15 that nobody knows before. */
function requestId(random: Random, atMs: number): string {
  let time = "";
  for (let left = atMs; time.length < 7; left = Math.floor(left / 62)) time = (letters[left % 62] ?? "0") + time;
  let id = `req_${time}`;
  for (let index = 0; index < 15; index += 1) id += letters[random.below(62)] ?? "0";
  return id;
}

/** In the order of their starts, `count` of them. */
export function* yearOfRequests(count: number, seed: number): Generator<YearRequest> {
  const random = seeded(seed);
  const pickKey = skewed(keyCount);
  const pickModel = skewed(modelCount);
  const weights = hourWeights();
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  let due = 0;
  let made = 0;
  for (const [hour, weight] of weights.entries()) {
    due += (weight / whole) * count;
    const until = hour === weights.length - 1 ? count : Math.min(count, Math.round(due));
    const inHour = until - made;
    for (let index = 0; index < inHour; index += 1) {
      const startedAtMs = yearBeginMs + hour * 3_600_000 + Math.floor(((index + random.number()) / inHour) * 3_600_000);
      yield request(random, startedAtMs, pickKey(random.number()), pickModel(random.number()));
    }
    made = until;
  }
}

function request(random: Random, startedAtMs: number, key: number, model: number): YearRequest {
  const isFailed = random.chance(0.03);
  const attempts: YearAttempt[] = [];
  if (random.chance(0.04)) attempts.push(tried(random, (model + 1) % modelCount, 0, "failed", "route_first"));
  attempts.push(tried(random, model, attempts.length * 400, isFailed ? "failed" : "done", "only_target"));
  const alias = `model-${model}`;
  return {
    id: requestId(random, startedAtMs),
    startedAtMs,
    key,
    alias,
    stream: random.chance(0.7) ? 1 : 0,
    status: isFailed ? "failed" : "done",
    attempts,
    plan: JSON.stringify({
      route: alias,
      strategy: "in_order",
      considered: attempts.map(({ target, reason }) => ({ target, reason, verdict: "fits", promptTokens: 1000 })),
      seed: random.below(1_000_000),
    }),
  };
}

function tried(
  random: Random,
  model: number,
  offsetMs: number,
  status: "done" | "failed",
  reason: string,
): YearAttempt {
  const failureCode = status === "failed" ? "upstream_error" : null;
  const prompt = 50 + random.below(random.chance(0.1) ? 40_000 : 3000);
  const cached = random.chance(0.4) ? random.below(prompt) : 0;
  const completion = status === "failed" ? 0 : 1 + random.below(900);
  const base = {
    reason,
    status,
    failureCode,
    offsetMs,
    durationMs: 200 + random.below(9000),
    tokens: [prompt, cached, completion, random.chance(0.2) ? random.below(completion + 1) : 0],
  } as const;
  const name = `model-${model}`;
  if (isLocal(model)) {
    const none = { provider: null, model: null, costNanos: null, priceId: null, parts: null, rawUsage: null };
    return { ...base, ...none, target: `engine/${name}`, costBasis: "not_priced" };
  }
  const provider = providers[model % providers.length] ?? "openai";
  const costNanos = prompt * 150 + completion * 600;
  return {
    ...base,
    target: `${provider}/${name}`,
    provider,
    model: name,
    costNanos,
    costBasis: "billed",
    priceId: `${provider}:${name}:2025-11-01`,
    parts: JSON.stringify([
      { what: "prompt", count: prompt, picosEach: { numerator: 150_000, denominator: 1 } },
      { what: "completion", count: completion, picosEach: { numerator: 600_000, denominator: 1 } },
    ]),
    rawUsage: JSON.stringify({
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      prompt_tokens_details: { cached_tokens: cached },
    }),
  };
}
