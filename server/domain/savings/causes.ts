/**
 * What one request cost beside what it would have cost at the baseline, and by which cause they differ. Pure.
 *
 * The baseline asks once, at the standard tier, with the same tokens. From its price to what was really paid leads a chain of
 * differences, each the work of one cause; they add up exactly, whatever their signs.
 */
import type { ServiceTier } from "../chat.ts";
import type { Nanos } from "../money.ts";
import type { Pricing } from "../pricing/priced.ts";
import type { Usage } from "../usage.ts";

/** Why a request cost something else than it would have. Each is negative where it cost more. */
export const causes = Object.freeze([
  /** Computed on this box, less its share of the power. */
  "local",
  /** Given again without being computed. */
  "answerCache",
  /** A cheaper, or dearer, target than the baseline. */
  "routing",
  /** Prompt tokens the provider had in its cache, less what writing them there cost. */
  "promptCache",
  /** Batch and flex prices; priority costs more. */
  "tier",
  /** What the provider billed beside its list price: tool fees, other rounding. */
  "billing",
  /** Tries beside the one that answered: retries, drafts, votes, copies, and requests that failed. */
  "extra",
  /** Power, wear and rent that no request used. */
  "idle",
] as const);
export type Cause = (typeof causes)[number];
export type ByCause = Readonly<Record<Cause, Nanos>>;

export interface ComparedAttempt {
  /** Null: not a provider's. */
  readonly provider: string | null;
  readonly model: string | null;
  readonly target: string;
  readonly reason: string;
  readonly status: string;
  readonly usage: Usage;
  /** What an answer that was there already had used; null: it was computed. */
  readonly keptUsage: Pick<Usage, "promptTokens" | "completionTokens"> | null;
  readonly serviceTier: ServiceTier;
  /** Null: not known. */
  readonly costNanos: Nanos | null;
}

export interface ComparedRequest {
  /** Epoch milliseconds: prices are those of that moment. */
  readonly startedAtMs: number;
  readonly status: string;
  /** A copy made for comparison: nobody waited for its answer. */
  readonly isCopy: boolean;
  readonly attempts: readonly ComparedAttempt[];
}

/** All of it on one model of one provider. */
export interface Baseline {
  readonly provider: string;
  readonly model: string;
  /** `none`: its prompts are not cached; `same`: as much as the actual provider had cached. */
  readonly cacheHits: "none" | "same";
}

export type Comparison =
  | {
      readonly kind: "compared";
      readonly baselineNanos: Nanos;
      readonly actualNanos: Nanos;
      readonly by: Partial<ByCause>;
    }
  /** Something has no price: it is counted apart, and never as saved. */
  | { readonly kind: "unknown"; readonly why: "no_cost" | "no_baseline"; readonly knownNanos: Nanos };

/** Attempts that only help another one to answer. */
const helpers: ReadonlySet<string> = new Set(["judge", "condense", "classify"]);
const answered: ReadonlySet<string> = new Set(["done", "aborted"]);

export function compare(request: ComparedRequest, baseline: Baseline, pricing: Pricing): Comparison {
  const knownNanos = request.attempts.reduce((sum, { costNanos }) => sum + (costNanos ?? 0), 0);
  if (request.attempts.some(({ costNanos }) => costNanos === null)) {
    return { kind: "unknown", why: "no_cost", knownNanos };
  }
  const answer = answerOf(request);
  if (answer === null) {
    return { kind: "compared", baselineNanos: 0, actualNanos: knownNanos, by: { extra: 0 - knownNanos } };
  }
  const { startedAtMs } = request;
  const usage = answer.keptUsage === null ? answer.usage : { ...answer.usage, ...answer.keptUsage, cachedTokens: 0 };
  const price = priceOf(pricing, startedAtMs);
  const had = baseline.cacheHits === "same" && answer.provider !== null ? usage : uncached(usage);
  const baselineNanos = price(baseline.provider, baseline.model, had, "standard");
  // Kept answers of an earlier build do not say what they had used.
  const isUnsaid = answer.target.startsWith(keptTarget) && answer.keptUsage === null;
  if (baselineNanos === null || isUnsaid) return { kind: "unknown", why: "no_baseline", knownNanos };
  const costNanos = answer.costNanos ?? 0;
  const by: Partial<Record<Cause, Nanos>> = byAnswer({ answer, had, baselineNanos, costNanos, price });
  const extra = knownNanos - costNanos;
  if (extra !== 0) by.extra = -extra;
  return { kind: "compared", baselineNanos, actualNanos: knownNanos, by };
}

/** Rows of answers that were there already have this place. */
const keptTarget = "cache/";

type Price = (provider: string, model: string, usage: Usage, tier: ServiceTier) => Nanos | null;

function byAnswer(facts: {
  readonly answer: ComparedAttempt;
  readonly had: Usage;
  readonly baselineNanos: Nanos;
  readonly costNanos: Nanos;
  readonly price: Price;
}): Partial<Record<Cause, Nanos>> {
  const { answer, had, baselineNanos, costNanos, price } = facts;
  const { provider, model, usage, serviceTier } = answer;
  if (provider === null || model === null) {
    const saved = baselineNanos - costNanos;
    return answer.keptUsage === null ? { local: saved } : { answerCache: saved };
  }
  const plain = price(provider, model, had, "standard");
  const cached = price(provider, model, usage, "standard");
  const served = price(provider, model, usage, serviceTier);
  // Only what was paid is known, and not what it is made of.
  if (plain === null || cached === null || served === null) return { routing: baselineNanos - costNanos };
  return {
    routing: baselineNanos - plain,
    promptCache: plain - cached,
    tier: cached - served,
    billing: served - costNanos,
  };
}

/** The attempt whose words the client got; null: it got none, or nobody waited for them. */
function answerOf({ status, isCopy, attempts }: ComparedRequest): ComparedAttempt | null {
  if (isCopy || !answered.has(status)) return null;
  const ended = attempts.filter((attempt) => attempt.status === status);
  const own = ended.findLast(({ reason }) => !helpers.has(reason)) ?? ended.at(-1) ?? null;
  if (own === null || status === "done") return own;
  // Who left before anything was computed would have left there, too.
  return own.usage.promptTokens + own.usage.completionTokens === 0 ? null : own;
}

function uncached({ promptTokens, completionTokens, reasoningTokens }: Usage): Usage {
  return { promptTokens, cachedTokens: 0, completionTokens, reasoningTokens };
}

const noAudio = Object.freeze({ promptTokens: 0, cachedTokens: 0, completionTokens: 0 });

/** At the price book's and the owner's own prices of that moment, whatever anybody billed. */
function priceOf(pricing: Pricing, atMs: number): Price {
  return (provider, model, usage, serviceTier) => {
    const used = { usage, audio: noAudio, serviceTier, toolCalls: {}, reported: null, flags: [], raw: null };
    const { computed } = pricing.price({ provider, model, atMs, used });
    return computed.known ? computed.nanos : null;
  };
}
