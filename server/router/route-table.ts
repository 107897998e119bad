/**
 * The routes of the settings, and others on trial beside them. Server process. A request keeps the route its plan was made of; the
 * next one sees what stands here then.
 */
import type { Backend } from "../backends/backend.ts";
import { Failure, type FailureCode } from "../domain/failure.ts";
import { type KnownBackend, resolveRoutes } from "../domain/routing/resolve.ts";
import type { Route } from "../domain/routing/route.ts";
import type { RouteSetting } from "../domain/routing/settings.ts";
import { trialName, trialRoutes } from "../domain/routing/trial.ts";
import { takesUnlisted } from "./candidates.ts";

export type RouteSettings = Readonly<Record<string, RouteSetting>>;

/** Complete settings that answer to names of their own until they are taken or dropped. */
export interface RouteTrial {
  /** What an alias is called while it is on trial. */
  nameOf(alias: string): string;
  /** They are the routes from the next request on. Nothing when they were dropped. */
  take(): void;
  /** Harmless twice. */
  drop(): void;
}

export interface RouteTable {
  readonly live: ReadonlyMap<string, Route>;
  /** Whether any of them copies requests: asked for each request. */
  readonly copies: boolean;
  /** Also one on trial, by its name there. */
  get(alias: string): Route | undefined;
  /** One trial at a time: a second ends the first. Throws `invalid_request` with everything that is wrong with them. */
  tryOut(settings: RouteSettings, trial: string): RouteTrial;
}

export interface RouteTableParts {
  backends(): readonly Backend[];
  /** Ids of backends that are set up and not to be asked now. */
  readonly away: readonly string[];
}

/** Throws `cannot_start` with everything that is wrong with the routes. */
export function createRouteTable(settings: RouteSettings, parts: RouteTableParts): RouteTable {
  let live = checkedRoutes(settings, parts, "cannot_start");
  let copies = copiesAny(live);
  let onTrial: { readonly routes: ReadonlyMap<string, Route>; readonly names: ReadonlyMap<string, Route> } | null =
    null;
  return {
    get live() {
      return live;
    },
    get copies() {
      return copies;
    },
    get: (alias) => live.get(alias) ?? onTrial?.names.get(alias),
    tryOut(others, trial) {
      const routes = checkedRoutes(others, parts, "invalid_request");
      const own = { routes, names: trialRoutes(routes, trial) };
      onTrial = own;
      return {
        nameOf: (alias) => trialName(alias, trial),
        take() {
          if (onTrial !== own) return;
          live = own.routes;
          copies = copiesAny(live);
          onTrial = null;
        },
        drop() {
          if (onTrial === own) onTrial = null;
        },
      };
    },
  };
}

function copiesAny(routes: ReadonlyMap<string, Route>): boolean {
  return [...routes.values()].some(({ modes }) => modes.shadow !== null);
}

function checkedRoutes(
  settings: RouteSettings,
  { backends, away }: RouteTableParts,
  code: FailureCode,
): ReadonlyMap<string, Route> {
  const known = backends().map((one): KnownBackend => {
    return { id: one.id, models: one.served().map((model) => model.alias), isOpen: takesUnlisted(one) };
  });
  for (const id of away) {
    if (!known.some((one) => one.id === id)) known.push({ id, models: [], isOpen: true });
  }
  const { routes, problems } = resolveRoutes(settings, known);
  if (problems.length === 0) return routes;
  const count = problems.length === 1 ? "A route" : `${problems.length} things in the routes`;
  throw new Failure(code, `${count} cannot be used as written.`, {
    why: problems.join("\n"),
    next: ["lanthorn models list", "lanthorn config show"],
    param: "routes",
  });
}
