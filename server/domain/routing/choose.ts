/** From an alias to the route that answers and the groups it uses: rules are followed here. Pure. */
import type { RequestFacts } from "./request-facts.ts";
import type { Route, RouteRule } from "./route.ts";
import { holds, wantsCount } from "./rules.ts";
import { stricter } from "./target.ts";

/** A rule that applied. */
export interface Passed {
  readonly alias: string;
  readonly rule: string;
}

export interface Choice {
  /** The route in the end; what forbids something is as strict as the strictest route on the way. */
  readonly route: Route;
  /** Indices of its groups in the order they are tried. */
  readonly groups: readonly number[];
  readonly via: readonly Passed[];
}

/** Null: no such route. Circles are refused at the start; here they merely end. */
export function choose(
  alias: string,
  routeOf: (alias: string) => Route | undefined,
  facts: RequestFacts,
): Choice | null {
  const via: Passed[] = [];
  let route = routeOf(alias);
  while (route !== undefined) {
    const rule: RouteRule | undefined = route.rules.find(({ when }) => holds(when, facts));
    const all = route.groups.map((_, index) => index);
    if (rule === undefined) return { route, groups: all, via };
    const here: Route = route;
    const isCircle = via.some((passed) => passed.alias === here.alias);
    via.push({ alias: here.alias, rule: rule.name });
    if ("use" in rule.leadsTo) return { route, groups: rule.leadsTo.use, via };
    const next: Route | undefined = routeOf(rule.leadsTo.route);
    if (next === undefined || isCircle) return { route, groups: all, via };
    route = withBoundsOf(here, next);
  }
  return null;
}

/** Whether some rule on the way depends on a length that is only estimated. */
export function dependsOnLength(
  alias: string,
  routeOf: (alias: string) => Route | undefined,
  facts: RequestFacts,
): boolean {
  const seen = new Set<string>();
  const depends = (name: string): boolean => {
    const route = routeOf(name);
    if (route === undefined || seen.has(name)) return false;
    seen.add(name);
    return route.rules.some(
      (rule) => wantsCount(rule.when, facts) || ("route" in rule.leadsTo && depends(rule.leadsTo.route)),
    );
  };
  return depends(alias);
}

/** Whoever asked for a strict alias gets its strictness, wherever a rule leads. */
function withBoundsOf(before: Route, next: Route): Route {
  const regions =
    before.regions.length === 0 || next.regions.length === 0
      ? [...before.regions, ...next.regions]
      : next.regions.filter((region) => before.regions.includes(region));
  const caps = [before.limits.maxOutputTokens, next.limits.maxOutputTokens].filter((cap) => cap !== null);
  return {
    ...next,
    localOnly: before.localOnly || next.localOnly,
    data: stricter(before.data, next.data),
    // Regions that exclude each other leave none, which a name that no region has says.
    regions: regions.length === 0 && before.regions.length > 0 ? ["(none)"] : regions,
    limits: { ...next.limits, maxOutputTokens: caps.length === 0 ? null : Math.min(...caps) },
  };
}
