/** Whether a target could answer a request at all, and if not, why. Pure. */
import type { Candidate } from "./target.ts";
import type { ExclusionCode } from "./reasons.ts";
import type { RequestFacts } from "./request-facts.ts";
import type { Route } from "./route.ts";
import { dataClasses, type Feature, stricter } from "./target.ts";

export interface Exclusion {
  readonly reason: ExclusionCode;
  /** What exactly: figures, a time, the target's own words. */
  readonly detail: string;
}

const missing: Readonly<Record<Feature, ExclusionCode>> = Object.freeze({
  tools: "no_tools",
  images: "no_images",
  files: "no_files",
  "json-schema": "no_json_schema",
});

/** An estimate is believed to be too long for a context only past this factor: nobody is refused for a guess. */
const estimateFactor = 2;

type Rules = Pick<Route, "localOnly" | "data" | "regions">;

/** Null: it could. What must never happen (data that leaves) is looked at before what may pass. */
export function exclusionOf(candidate: Candidate, facts: RequestFacts, route: Rules): Exclusion | null {
  return privacy(candidate, facts, route) ?? ability(candidate, facts) ?? standing(candidate);
}

function privacy(candidate: Candidate, facts: RequestFacts, route: Rules): Exclusion | null {
  if (route.localOnly && candidate.kind !== "engine") return { reason: "not_local", detail: candidate.kind };
  const wanted = stricter(route.data, facts.data);
  if (dataClasses.indexOf(candidate.data) > dataClasses.indexOf(wanted)) {
    return { reason: "data_leaves", detail: `${candidate.data} there, ${wanted} asked` };
  }
  // What runs on this box is wherever its owner is.
  const inside = candidate.kind === "engine" || (candidate.region !== null && route.regions.includes(candidate.region));
  if (route.regions.length > 0 && !inside) {
    return { reason: "other_region", detail: candidate.region ?? "its region is not known" };
  }
  return null;
}

function ability(candidate: Candidate, facts: RequestFacts): Exclusion | null {
  if (!candidate.served) return { reason: "not_served", detail: "" };
  if (!candidate.capabilities.includes(facts.capability)) {
    return { reason: "wrong_capability", detail: candidate.capabilities.join(", ") };
  }
  const lacking = facts.needs.find((need) => candidate.features !== null && !candidate.features.includes(need));
  if (lacking !== undefined) return { reason: missing[lacking], detail: "" };
  return length(candidate, facts);
}

function length(candidate: Candidate, facts: RequestFacts): Exclusion | null {
  const { contextLength } = candidate;
  if (contextLength === 0) return null;
  const exact = candidate.promptTokens;
  if (exact !== null) {
    // At least one token of an answer has to fit behind the prompt.
    if (exact + 1 <= contextLength) return null;
    return { reason: "context_too_short", detail: `${exact} tokens, ${contextLength} fit` };
  }
  if (facts.promptTokens <= contextLength * estimateFactor) return null;
  return { reason: "context_too_short", detail: `about ${facts.promptTokens} tokens, ${contextLength} fit` };
}

function standing({ health, cooldown, power, whileAsleep }: Candidate): Exclusion | null {
  // First, because it is not asked then, whatever else holds: also one whose key rests is told with the time until it is over.
  if (cooldown.state === "open") {
    return { reason: "cooling_down", detail: `${cooldown.reason ?? ""}, ${Math.ceil(cooldown.leftMs / 1000)} s left` };
  }
  if (!health.able) return { reason: "not_able", detail: health.reason };
  // It was woken already: nothing is gained by asking it to be told so.
  if (power?.state === "waking" && whileAsleep === "fallback") return { reason: "waking", detail: power.words };
  return null;
}
