/** Who is asked on the side of a request, as a choice of its own: bound by whatever binds the request. Pure. */
import type { Choice } from "../choose.ts";
import type { RequestFacts } from "../request-facts.ts";
import type { Route, RouteLimits } from "../route.ts";
import { type AsideRole, noModes } from "./settings.ts";

/** Tokens of what a judge or a classifier is shown at most; the middle is left out. */
export const shownTokens = 2_000;

/** Null: the route asks nobody for that. */
export function asideChoice(route: Route, role: AsideRole): Choice | null {
  const group = route.modes.asides[role];
  if (group === undefined) return null;
  const limits: RouteLimits = { ...route.limits, maxOutputTokens: null };
  return {
    route: { ...route, mode: "plain", groups: [group], rules: [], modes: noModes, limits },
    groups: [0],
    via: [],
  };
}

/** What the question on the side is, as far as is known before it is asked. Data must not go further than the request's own. */
export function asideFacts(facts: RequestFacts, role: AsideRole): RequestFacts {
  if (role === "shadow") return facts;
  const { promptTokens } = facts;
  if (role === "condense") return { ...facts, needs: [], maxTokens: null };
  return {
    ...facts,
    needs: ["json-schema"],
    promptTokens: Math.min(promptTokens, shownTokens),
    counted: false,
    maxTokens: null,
  };
}
