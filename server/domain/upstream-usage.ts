/**
 * What an upstream says it used, in one form, beside the words it said it in. Pure types. Read out of wire shapes by
 * `server/dialects`, priced by `domain/pricing`, kept in the ledger.
 */
import type { ServiceTier } from "./chat.ts";
import type { Nanos } from "./money.ts";
import type { Usage } from "./usage.ts";

/** What was odd about the figures, and what was made of it. Stable codes: rows keep them. */
export type UsageFlag =
  /** No usage came; the tokens are an estimate. */
  | "usage_absent"
  /** Usage came and every figure in it is 0: taken as said. */
  | "usage_all_zero"
  /** More cached (or written) tokens than prompt tokens: cut to the prompt. */
  | "cached_clamped"
  /** More reasoning than completion tokens: cut to the completion. */
  | "reasoning_clamped"
  /** More audio than the tokens it is part of: cut to them. */
  | "audio_clamped"
  /** Negative, fractional or absurd (above 2^40): taken as 0. */
  | "absurd_figure"
  /** Usage came more than once and the last usable one was taken. */
  | "usage_repeated"
  /** The provider's own cost was 0 without a word that it is free. */
  | "reported_zero_ignored";

/** What the provider itself says this cost. */
export interface ReportedCost {
  readonly nanos: Nanos;
  /** A free model or the caller's own key at the provider: 0 is meant. */
  readonly free: boolean;
}

export interface UpstreamUsage {
  /** `promptTokens` includes cached and written ones, `completionTokens` includes reasoning. */
  readonly usage: Usage;
  /** Parts of the counts above that are billed at rates of their own. */
  readonly audio: { readonly promptTokens: number; readonly cachedTokens: number; readonly completionTokens: number };
  /** As the upstream says it was served; `standard` where it says nothing. */
  readonly serviceTier: ServiceTier;
  /** Served at a higher speed that has a price of its own (Anthropic's `speed: "fast"`); absent: no. */
  readonly fast?: boolean;
  /** Billed calls of the provider's own tools, by its name for them: `web_search` → 2. */
  readonly toolCalls: Readonly<Record<string, number>>;
  /** Null: none was reported. */
  readonly reported: ReportedCost | null;
  readonly flags: readonly UsageFlag[];
  /** The usage object as it came (JSON); null: none came. */
  readonly raw: unknown;
}
