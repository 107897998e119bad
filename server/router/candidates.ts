/** Gathers what is known of a route's targets into the plain facts a plan is made of. Runs in the server process. */
import type { Backend } from "../backends/backend.ts";
import type { UpstreamName } from "../domain/attempt-cost.ts";
import type { ServedModel } from "../domain/model.ts";
import type { Nanos } from "../domain/money.ts";
import type { Pricing } from "../domain/pricing/priced.ts";
import type { WhileAsleep } from "../domain/rental/power.ts";
import type { RequestFacts } from "../domain/routing/request-facts.ts";
import type { RouteTarget } from "../domain/routing/route.ts";
import { type Candidate, type Feature, type Target, targetName } from "../domain/routing/target.ts";
import type { Live } from "./live.ts";

/** The local engine reads text only. */
const engineFeatures: readonly Feature[] = Object.freeze(["tools", "json-schema"]);
/** Tokens of an answer nobody has bounded, where its price is compared. */
const usualAnswerTokens = 1_000;

/** Under which of its names a backend lists the target; undefined: it does not. */
export function servedAs(backend: Backend, target: Target): ServedModel | undefined {
  const long = targetName(target);
  const listed = backend.served().find(({ alias }) => alias === target.model || alias === long);
  return listed ?? backend.find?.(long) ?? undefined;
}

/** What a backend is asked for where it is asked for the target. */
export function nameAt(backend: Backend, target: Target): string {
  return servedAs(backend, target)?.alias ?? target.model;
}

/** A provider has models it does not list, and a peer may not have been asked yet; the settings list those of a rented machine. */
export function takesUnlisted(backend: Backend): boolean {
  return backend.kind === "cloud" || backend.kind === "peer";
}

export interface CandidateParts {
  /** Of the route; null: it does not say. */
  readonly whileAsleep: WhileAsleep | null;
  readonly backend: Backend | undefined;
  readonly live: Live;
  readonly facts: RequestFacts;
  /** Exact, as this target counts them; null: not counted. */
  readonly promptTokens: number | null;
  /** Most tokens of the answer. */
  readonly maxTokens: number | null;
  readonly pricing: Pricing | null;
  billedBy(target: Target): UpstreamName | null;
}

export function candidateOf(route: RouteTarget, parts: CandidateParts): Candidate {
  const { backend, live, facts } = parts;
  const { target } = route;
  const name = targetName(target);
  const model = backend === undefined ? undefined : servedAs(backend, target);
  const kind = backend?.kind ?? "cloud";
  const isEngine = kind === "engine";
  const { cachedShare, ...life } = live.facts(name);
  const power = backend?.power?.() ?? null;
  return {
    target,
    kind,
    served: model !== undefined || (backend !== undefined && takesUnlisted(backend)),
    capabilities: model?.capabilities ?? [facts.capability],
    features: model?.features ?? (isEngine ? engineFeatures : null),
    contextLength: route.contextLength ?? model?.contextLength ?? 0,
    data: route.data ?? model?.data ?? (isEngine ? "local" : "any"),
    region: route.region ?? model?.region ?? null,
    health: backend?.health(model?.alias ?? target.model) ?? { able: false, reason: "no such backend" },
    power,
    whileAsleep: parts.whileAsleep ?? power?.whileAsleep ?? "wait",
    expectedNanos: isEngine ? 0 : power === null ? expectedNanos(target, cachedShare, parts) : power.wakeNanos,
    promptTokens: parts.promptTokens,
    weight: route.weight,
    ...life,
  };
}

/** What the request would be billed, at this hour and tier, with as much from the cache as was usual there of late. */
function expectedNanos(
  target: Target,
  cachedShare: number,
  { facts, maxTokens, promptTokens, pricing, billedBy }: CandidateParts,
): Nanos | null {
  if (pricing === null) return null;
  const billed = billedBy(target);
  // A machine of the owner's, or of somebody who does not bill.
  if (billed === null) return 0;
  const tokens = promptTokens ?? facts.promptTokens;
  const { computed } = pricing.price({
    provider: billed.provider,
    model: billed.model,
    atMs: facts.atMs,
    used: {
      usage: {
        promptTokens: tokens,
        cachedTokens: Math.floor(tokens * cachedShare),
        completionTokens: maxTokens ?? usualAnswerTokens,
        reasoningTokens: 0,
      },
      audio: { promptTokens: 0, cachedTokens: 0, completionTokens: 0 },
      serviceTier: facts.serviceTier,
      toolCalls: {},
      reported: null,
      flags: [],
      raw: null,
    },
  });
  return computed.known ? computed.nanos : null;
}
