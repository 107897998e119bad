/**
 * From what a reader found to `UpstreamUsage`: parts are cut to the whole they are part of, oddities become flags. Also what
 * stands in where nothing came. Pure; shared by the readers beside it and by the dialects; imports the domain only.
 */
import type { ServiceTier } from "../../domain/chat.ts";
import type { UpstreamUsage, UsageFlag } from "../../domain/upstream-usage.ts";
import { noUsage } from "../../domain/usage.ts";
import type { CallTraits } from "../called.ts";
import { at, type Figures, figuresOf, folded, isWireObject } from "./figures.ts";
import { reportedCostOf } from "./reported-cost.ts";

const noAudio = Object.freeze({ promptTokens: 0, cachedTokens: 0, completionTokens: 0 });

/** Nothing has come yet, or nothing came. */
export const noUpstreamUsage: UpstreamUsage = Object.freeze({
  usage: noUsage,
  audio: noAudio,
  serviceTier: "standard",
  toolCalls: Object.freeze({}),
  reported: null,
  flags: Object.freeze<UsageFlag[]>(["usage_absent"]),
  raw: null,
});

/** The caller's own count, for an answer that came without usage. */
export function estimatedUsage(promptTokens: number, completionTokens: number): UpstreamUsage {
  return { ...noUpstreamUsage, usage: { ...noUsage, promptTokens, completionTokens } };
}

/** What a reader found; null: not said. */
export interface FoundUsage {
  /** Includes cached and written ones. */
  readonly prompt: number | null;
  readonly cached: number | null;
  readonly written5m?: number | null;
  readonly written1h?: number | null;
  /** Includes reasoning. */
  readonly completion: number | null;
  readonly reasoning: number | null;
  readonly audioPrompt?: number | null;
  readonly audioCached?: number | null;
  readonly audioCompletion?: number | null;
  readonly toolCalls?: Readonly<Record<string, number>>;
  /** As the upstream names it; anything. */
  readonly serviceTier?: unknown;
  readonly fast?: boolean;
}

/** How one wire shape writes its usage. */
export interface UsageShape {
  find(usage: unknown, figures: Figures): FoundUsage;
  /** Figures that come more than once are usual in it: no flag. */
  readonly cumulative: boolean;
}

/** The one reader behind all shapes: folds, finds, cuts, flags. */
export function readUsage(
  shape: UsageShape,
  usage: unknown,
  traits: CallTraits,
  previous: UpstreamUsage | undefined,
): UpstreamUsage {
  if (!isWireObject(usage)) return previous ?? unreadable(usage);
  const before = previous ?? noUpstreamUsage;
  const raw = folded(before.raw ?? undefined, usage);
  const figures = figuresOf(raw);
  if (before.flags.includes("absurd_figure") || isAbsurd(shape, usage, traits)) figures.odd("absurd_figure");
  if (!shape.cumulative && isWireObject(before.raw)) figures.odd("usage_repeated");
  const found = shape.find(raw, figures);
  const reported = reportedCostOf(raw, traits, figures);
  if (found.prompt === null && found.completion === null) figures.odd("usage_absent");
  else if (isAllZero(found, figures)) figures.odd("usage_all_zero");
  return {
    ...cut(found, figures),
    ...tierOf(found, before),
    toolCalls: found.toolCalls ?? {},
    reported,
    flags: figures.flags,
    raw,
  };
}

/** Something came that is no usage object. */
function unreadable(usage: unknown): UpstreamUsage {
  if (usage === undefined || usage === null) return noUpstreamUsage;
  return { ...noUpstreamUsage, flags: ["usage_absent", "absurd_figure"], raw: usage };
}

/** Judged by itself: the fold keeps nonsense away from figures that are known already. */
function isAbsurd(shape: UsageShape, usage: unknown, traits: CallTraits): boolean {
  const figures = figuresOf(usage);
  shape.find(usage, figures);
  reportedCostOf(usage, traits, figures);
  return figures.flags.includes("absurd_figure");
}

/** Every count that came is 0, and was meant so. */
function isAllZero(found: FoundUsage, figures: Figures): boolean {
  if (figures.flags.includes("absurd_figure")) return false;
  return [found.prompt, found.completion, found.cached, found.reasoning].every((count) => (count ?? 0) === 0);
}

/** Parts within their whole. Cached comes before written: it is the cheaper one, and nothing is charged twice. */
function cut(found: FoundUsage, figures: Figures): Pick<UpstreamUsage, "usage" | "audio"> {
  const within = (part: number | null | undefined, whole: number, flag: UsageFlag): number => {
    if ((part ?? 0) > whole) figures.odd(flag);
    return Math.min(part ?? 0, whole);
  };
  const promptTokens = found.prompt ?? 0;
  const completionTokens = found.completion ?? 0;
  const cachedTokens = within(found.cached, promptTokens, "cached_clamped");
  const written1h = within(found.written1h, promptTokens - cachedTokens, "cached_clamped");
  const written5m = within(found.written5m, promptTokens - cachedTokens - written1h, "cached_clamped");
  const audioPrompt = within(found.audioPrompt, promptTokens, "audio_clamped");
  return {
    usage: {
      promptTokens,
      cachedTokens,
      completionTokens,
      reasoningTokens: within(found.reasoning, completionTokens, "reasoning_clamped"),
      ...(written5m > 0 && { cacheWrite5mTokens: written5m }),
      ...(written1h > 0 && { cacheWrite1hTokens: written1h }),
    },
    audio: {
      promptTokens: audioPrompt,
      cachedTokens: within(found.audioCached, Math.min(audioPrompt, cachedTokens), "audio_clamped"),
      completionTokens: within(found.audioCompletion, completionTokens, "audio_clamped"),
    },
  };
}

const tiers: Readonly<Record<string, ServiceTier>> = Object.freeze({
  standard: "standard",
  default: "standard",
  auto: "standard",
  on_demand: "standard",
  batch: "batch",
  flex: "flex",
  priority: "priority",
});

/** Null: not a tier that anybody knows. */
export function serviceTierOf(said: unknown): ServiceTier | null {
  const word = typeof said === "string" ? said.toLowerCase() : "";
  return Object.hasOwn(tiers, word) ? (tiers[word] ?? null) : null;
}

function tierOf(found: FoundUsage, before: UpstreamUsage): Pick<UpstreamUsage, "serviceTier" | "fast"> {
  return {
    serviceTier: serviceTierOf(found.serviceTier) ?? before.serviceTier,
    ...((found.fast === true || before.fast === true) && { fast: true }),
  };
}

/** With the tier of a field beside the usage (OpenAI has `service_tier` in the body and in chunks). */
export function servedAs(used: UpstreamUsage, said: unknown): UpstreamUsage {
  const serviceTier = serviceTierOf(said);
  return serviceTier === null || serviceTier === used.serviceTier ? used : { ...used, serviceTier };
}

/** Anthropic's and OpenRouter's `server_tool_use: { web_search_requests: 2 }` → `web_search: 2`. */
export function serverToolCalls(usage: unknown, figures: Figures): Readonly<Record<string, number>> {
  const calls = new Map<string, number>();
  const serverTools = at(usage, "server_tool_use");
  for (const key of isWireObject(serverTools) ? Object.keys(serverTools) : []) {
    const name = /^([a-z_]{1,40})_requests$/.exec(key)?.[1];
    const count = name === undefined ? null : figures.count("server_tool_use", key);
    if (name !== undefined && count !== null && count > 0) calls.set(name, count);
  }
  // Perplexity: `tool_calls_details: { web_search: { invocation: 2 } }`.
  const details = at(usage, "tool_calls_details");
  for (const key of isWireObject(details) ? Object.keys(details) : []) {
    const count = /^[a-z_]{1,40}$/.test(key) ? figures.count("tool_calls_details", key, "invocation") : null;
    if (count !== null && count > 0) calls.set(key, count);
  }
  return Object.fromEntries(calls);
}
