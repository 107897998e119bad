/**
 * A month of a small team, from a seed: who asked what, where it ran, what it used. Pure. The story is told before anything is
 * written, so that whoever counts it by hand does not read the ledger.
 */
import { type Random, seeded } from "../random.ts";

export type Kind =
  /** Computed on this box. */
  | "local"
  /** A cheap provider, some of the prompt in its cache. */
  | "cheap"
  /** A dear provider, where the box was not asked. */
  | "dear"
  /** The cheap provider's batch, at half the price. */
  | "batch"
  /** An answer that was there already. */
  | "kept"
  /** A local draft that was not sure, then the dear provider. */
  | "draft"
  /** The cheap provider failed, having billed some of it; then it answered. */
  | "retried"
  /** Nobody answered, and it was billed all the same. */
  | "failed"
  /** The client left in the middle of a local answer. */
  | "left"
  /** A provider without a price. */
  | "unpriced";

export interface Told {
  readonly id: string;
  readonly kind: Kind;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  readonly task: string | null;
  readonly person: string;
  readonly promptTokens: number;
  /** Of the prompt, in the provider's cache. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** Before its first step, and in steps; 0 where nothing ran here. */
  readonly queueMs: number;
  readonly stepMs: number;
  readonly prefillMs: number;
}

export interface Story {
  readonly fromMs: number;
  readonly toMs: number;
  /** By the time they began. */
  readonly requests: readonly Told[];
  /** When a model was loaded: from, to. */
  readonly loads: readonly (readonly [number, number])[];
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Shares of a hundred. */
const kinds: readonly (readonly [Kind, number])[] = [
  ["local", 52],
  ["cheap", 18],
  ["dear", 5],
  ["batch", 6],
  ["kept", 6],
  ["draft", 5],
  ["retried", 3],
  ["failed", 2],
  ["left", 2],
  ["unpriced", 1],
];
const tasks = ["summaries", "code-review", "extraction", null] as const;
const people = ["Mara", "Jonas", "Build bot"] as const;

/** October 2026, UTC, or its first `days`; `each` requests on a weekday and a fifth of them at the weekend. */
export function tellMonth(seed: number, each: number, days = 31): Story {
  const random = seeded(seed);
  const fromMs = Date.UTC(2026, 9, 1);
  const requests: Told[] = [];
  const loads: (readonly [number, number])[] = [];
  for (let day = 0; day < days; day += 1) {
    const startMs = fromMs + day * dayMs;
    const isWeekend = [0, 6].includes(new Date(startMs).getUTCDay());
    const loadMs = startMs + 7 * hourMs;
    loads.push([loadMs, loadMs + 8_000 + random.below(20_000)]);
    const count = Math.round((isWeekend ? each / 5 : each) * (0.7 + 0.6 * random.number()));
    for (let index = 0; index < count; index += 1) {
      // Agents come in bursts, so that answers are computed beside each other.
      const at = startMs + 7 * hourMs + 60_000 + random.below(600) * 60_000 + random.below(8_000);
      requests.push(tellOne(random, `req_${seed}_${day}_${index}`, at));
    }
  }
  requests.sort((left, right) => left.startedAtMs - right.startedAtMs || (left.id < right.id ? -1 : 1));
  return { fromMs, toMs: fromMs + days * dayMs, requests, loads };
}

function tellOne(random: Random, id: string, startedAtMs: number): Told {
  const kind = kindOf(random.below(100));
  const promptTokens = 200 + random.below(random.chance(0.1) ? 40_000 : 6_000);
  const isHere = kind === "local" || kind === "draft" || kind === "left";
  const prefillMs = isHere ? 100 + Math.round(promptTokens / 5) : 0;
  const completionTokens = 20 + random.below(900);
  return {
    ...{ id, kind, startedAtMs, promptTokens, completionTokens, prefillMs },
    task: random.pick(tasks),
    person: random.pick(people),
    cachedTokens: kind === "cheap" || kind === "dear" ? random.below(promptTokens) : 0,
    queueMs: isHere ? random.below(400) : 0,
    stepMs: isHere ? prefillMs + completionTokens * 12 : 0,
  };
}

function kindOf(number: number): Kind {
  let left = number;
  for (const [kind, share] of kinds) {
    if (left < share) return kind;
    left -= share;
  }
  return "local";
}

/** What the card draws, in watts. */
export const watts = Object.freeze({ idle: 22.5, busy: 287.25 });
