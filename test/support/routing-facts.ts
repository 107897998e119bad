/** Candidates and routes with everything at its default, for tests that care about one field of them. */
import { resolveRoutes } from "../../server/domain/routing/resolve.ts";
import type { Route } from "../../server/domain/routing/route.ts";
import type { RouteSetting } from "../../server/domain/routing/settings.ts";
import type { Candidate } from "../../server/domain/routing/target.ts";

/** `engine/qwen` runs here, `peer…/…` on another box, anything else in the cloud. */
export function candidate(name: string, facts: Partial<Candidate> = {}): Candidate {
  const [backendId = "", model = ""] = name.split("/");
  const kind = backendId === "engine" ? "engine" : backendId.startsWith("peer") ? "peer" : "cloud";
  return {
    target: { backendId, model },
    kind,
    served: true,
    capabilities: ["chat"],
    features: null,
    contextLength: 0,
    data: kind === "engine" ? "local" : "any",
    region: null,
    health: { able: true, reason: "ready" },
    power: null,
    whileAsleep: "wait",
    cooldown: { state: "closed", leftMs: 0, reason: null },
    inFlight: 0,
    ttftMs: null,
    totalMs: null,
    expectedNanos: null,
    promptTokens: null,
    weight: 1,
    ...facts,
  };
}

/** Backends that take any name. */
const anyBackends = ["engine", "peer", "a", "b", "c", "d"].map((id) => ({ id, models: [], isOpen: true }));

/** Routes of settings that are right; throws what is wrong with them. */
export function routesOf(settings: Readonly<Record<string, RouteSetting>>): ReadonlyMap<string, Route> {
  const { routes, problems } = resolveRoutes(settings, anyBackends);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return routes;
}

export function routeOf(setting: RouteSetting): Route {
  const route = routesOf({ coder: setting }).get("coder");
  if (route === undefined) throw new Error("no route");
  return route;
}

/** Groups of targets by name. */
export function groups(...names: readonly (readonly string[])[]): RouteSetting["groups"] {
  return names.map((targets) => ({ targets: targets.map((target) => ({ target })) }));
}
