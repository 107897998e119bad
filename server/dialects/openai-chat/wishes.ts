/**
 * What an OpenAI body asks for beside an answer: thinking, a tier, a place in the cache. Pure; runs in the server process;
 * imports the domain only.
 */
import type { CacheMark, ChatRequest, ReasoningEffort, ServiceTier } from "../../domain/chat.ts";
import type { WireCacheControl, WireChatBody } from "./schema.ts";

const efforts: Readonly<Record<string, ReasoningEffort>> = Object.freeze({
  none: "none",
  minimal: "minimal",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "xhigh",
});

const tiers: Readonly<Record<string, ServiceTier>> = Object.freeze({
  default: "standard",
  standard: "standard",
  flex: "flex",
  priority: "priority",
});

export function wishesOf(wire: WireChatBody): Pick<ChatRequest, "reasoning" | "serviceTier" | "endUser"> {
  // OpenRouter's object says the same in more words.
  const effort = known(efforts, wire.reasoning_effort ?? wire.reasoning?.effort);
  const budgetTokens = wire.reasoning?.max_tokens ?? null;
  const serviceTier = known(tiers, wire.service_tier);
  return {
    ...(effort === null && budgetTokens === null ? {} : { reasoning: { effort, budgetTokens, summary: null } }),
    ...(serviceTier === null ? {} : { serviceTier }),
    ...(typeof wire.user === "string" && wire.user !== "" ? { endUser: wire.user } : {}),
  };
}

export function cacheOf(mark: WireCacheControl | null | undefined): { readonly cache?: CacheMark } {
  if (mark === null || mark === undefined) return {};
  return { cache: { keep: mark.ttl === "1h" ? "1h" : "5m" } };
}

function known<Value>(table: Readonly<Record<string, Value>>, word: string | null | undefined): Value | null {
  return typeof word === "string" && Object.hasOwn(table, word) ? (table[word] ?? null) : null;
}
