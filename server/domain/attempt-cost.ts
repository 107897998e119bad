/**
 * What one attempt is booked at, from how it ended. Pure. What runs on this box is metered (`local-cost`), and has no price here; what ran on another's
 * machine costs what it said it used, and when it could not say so any more, what was seen of it: who leaves in the middle
 * of an answer is billed for it all the same.
 */
import type { EndEvent } from "./chat.ts";
import type { FailureCode } from "./failure.ts";
import type { Cost, Nanos } from "./money.ts";
import type { PricedPart, Pricing } from "./pricing/priced.ts";
import { estimatedTokens } from "./prompt-estimate.ts";
import type { UpstreamUsage } from "./upstream-usage.ts";
import type { Usage } from "./usage.ts";

/** A provider and a model as it names it. */
export interface UpstreamName {
  readonly provider: string;
  readonly model: string;
}

/** What came of an answer before it ended. */
export interface SeenOfAttempt {
  /** As an upstream said or, if it did not, as the request's length suggests. */
  readonly promptTokens: number;
  readonly cachedTokens: number;
  /** Of text, thinking, refusals and calls. */
  readonly contentCharacters: number;
  readonly reasoningCharacters: number;
}

/** How an attempt's cost was reached, beside the cost itself. */
export interface PricingFacts {
  /** From the price book; null: it has no price. */
  readonly computedNanos: Nanos | null;
  /** What the provider said; null: nothing. */
  readonly reportedNanos: Nanos | null;
  /** Reported minus computed; null unless both are known. */
  readonly driftNanos: Nanos | null;
  readonly priceId: string | null;
  readonly parts: readonly PricedPart[];
  /** Codes of what is odd about the figures. */
  readonly flags: readonly string[];
  readonly audio: UpstreamUsage["audio"];
  readonly serviceTier: UpstreamUsage["serviceTier"];
  /** The upstream's usage object as it came; null: none came. */
  readonly rawUsage: unknown;
}

export interface AttemptCost {
  readonly usage: Usage;
  readonly cost: Cost;
  /** Null: it ran on this box. */
  readonly pricing: PricingFacts | null;
}

export interface AttemptFacts {
  /** Null: this box's own. */
  readonly upstream: UpstreamName | null;
  /** Epoch milliseconds of its start. */
  readonly startedAtMs: number;
  readonly end: EndEvent;
  readonly seen: SeenOfAttempt;
}

/** Failures of attempts for which nobody computed anything: refused, or never reached. */
const nothingDone: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "invalid_request",
  "context_length_exceeded",
  "unsupported",
  "model_not_found",
  "rate_limited",
  "queue_full",
  "shutting_down",
  "budget_exceeded",
  "ledger_unavailable",
  "no_target",
  "upstream_invalid_request",
  "upstream_key_refused",
  "upstream_quota",
  "upstream_model_missing",
  "upstream_rate_limited",
  "upstream_overloaded",
  "upstream_failed",
  "upstream_unreachable",
]);

const noAudio = Object.freeze({ promptTokens: 0, cachedTokens: 0, completionTokens: 0 });
const notPriced: Cost = Object.freeze({ known: false, reason: "not_priced" });
const unknownPrice: Cost = Object.freeze({ known: false, reason: "unknown_price" });

export function costOfAttempt(facts: AttemptFacts, pricing: Pricing | null): AttemptCost {
  const { upstream, end } = facts;
  if (upstream === null) return { usage: end.usage, cost: notPriced, pricing: null };
  if (isFree(facts)) {
    const none = { computedNanos: 0, reportedNanos: null, driftNanos: null, priceId: null, parts: [] };
    return {
      usage: end.usage,
      cost: { known: true, nanos: 0, basis: "estimated" },
      pricing: { ...none, flags: ["not_charged"], audio: noAudio, serviceTier: "standard", rawUsage: null },
    };
  }
  const { used, flags } = usedOf(facts);
  const asked = { ...upstream, atMs: facts.startedAtMs, used };
  const priced = pricing?.price(asked) ?? null;
  return {
    usage: used.usage,
    cost: priced?.cost ?? unknownPrice,
    pricing: {
      computedNanos: priced?.computed.known === true ? priced.computed.nanos : null,
      reportedNanos: priced === null ? (used.reported?.nanos ?? null) : priced.reportedNanos,
      driftNanos: priced?.driftNanos ?? null,
      priceId: priced?.priceId ?? null,
      parts: priced?.parts ?? [],
      flags: [...new Set([...(priced?.flags ?? used.flags), ...flags])],
      audio: used.audio,
      serviceTier: used.serviceTier,
      rawUsage: used.raw,
    },
  };
}

/** An error answer without a figure and without content: no provider bills that. */
function isFree({ end, seen }: AttemptFacts): boolean {
  if (end.type !== "failed" || !nothingDone.has(end.failure.code) || seen.contentCharacters > 0) return false;
  const { upstream, usage } = end;
  return (upstream?.raw ?? null) === null && usage.promptTokens + usage.completionTokens === 0;
}

/** What the upstream said, completed by what was seen where the end kept it from saying it. */
function usedOf({ end, seen }: AttemptFacts): { readonly used: UpstreamUsage; readonly flags: readonly string[] } {
  const { upstream } = end;
  const completionTokens = estimatedTokens(seen.contentCharacters);
  const reasoningTokens = estimatedTokens(seen.reasoningCharacters);
  if (upstream === undefined || (upstream.raw === null && isNothing(upstream.usage) && upstream.reported === null)) {
    const known = isNothing(end.usage) ? null : end.usage;
    const { promptTokens } = seen;
    const cachedTokens = Math.min(seen.cachedTokens, promptTokens);
    const usage = known ?? { promptTokens, cachedTokens, completionTokens, reasoningTokens };
    const unsaid = { audio: noAudio, serviceTier: "standard", toolCalls: {}, reported: null, raw: null } as const;
    return { used: { ...unsaid, ...upstream, usage, flags: ["usage_absent"] }, flags: [] };
  }
  if (end.type === "finished" || upstream.usage.completionTokens >= completionTokens || upstream.reported !== null) {
    return { used: upstream, flags: [] };
  }
  // Anthropic says at the start what the prompt was, and only at the end what came of it.
  const { usage } = upstream;
  const estimated = { ...usage, completionTokens, reasoningTokens: Math.max(usage.reasoningTokens, reasoningTokens) };
  return { used: { ...upstream, usage: estimated }, flags: ["completion_estimated"] };
}

function isNothing(usage: Usage): boolean {
  return usage.promptTokens === 0 && usage.completionTokens === 0;
}
