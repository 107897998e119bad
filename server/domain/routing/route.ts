/** What an alias leads to, complete and checked. Pure types with the limits' defaults. */
import type { RouteMode } from "./modes.ts";
import { noModes, type RouteModes } from "./modes/settings.ts";
import type { WhileAsleep } from "../rental/power.ts";
import type { Conditions } from "./rules.ts";
import type { StrategyId } from "./strategies/index.ts";
import type { DataClass, Target } from "./target.ts";

export interface RouteTarget {
  readonly target: Target;
  /** For the strategy `weighted`. */
  readonly weight: number;
  /** What the settings say of it; null: what the backend says. */
  readonly region: string | null;
  readonly data: DataClass | null;
  readonly contextLength: number | null;
}

export interface RouteGroup {
  readonly name: string;
  readonly targets: readonly RouteTarget[];
  readonly strategy: StrategyId;
  /** Regions, the most wanted first; for the strategy `region`. */
  readonly prefer: readonly string[];
}

export interface RouteRule {
  /** What explanations call it. */
  readonly name: string;
  readonly when: Conditions;
  /** Indices into the route's groups in the order they are tried, or another alias. */
  readonly leadsTo: { readonly use: readonly number[] } | { readonly route: string };
}

export interface RouteLimits {
  /** How often one target is asked again within its group. */
  readonly retries: number;
  /** Tries in all. */
  readonly maxAttempts: number;
  /** From the request's arrival here to its end, answer included; null: none. */
  readonly deadlineMs: number | null;
  /** An attempt that has given no content by then goes elsewhere; null: it has all the time. */
  readonly firstTokenMs: number | null;
  /** An attempt that waits in a queue for longer goes elsewhere, if there is somewhere; null: it waits. */
  readonly maxQueueWaitMs: number | null;
  /** Most tokens of an answer, whatever the client asks for; null: no cap. */
  readonly maxOutputTokens: number | null;
}

/** Why a request may move that otherwise would not. */
export type FallbackWish = "content-filter";

export interface Route {
  readonly alias: string;
  readonly mode: RouteMode;
  readonly groups: readonly RouteGroup[];
  readonly rules: readonly RouteRule[];
  readonly limits: RouteLimits;
  /** Only the engine of this very box: no connection leaves it. */
  readonly localOnly: boolean;
  readonly data: DataClass;
  /** Only targets in these; empty: anywhere. */
  readonly regions: readonly string[];
  readonly fallbackOn: readonly FallbackWish[];
  /** What a request does while a rented target is asleep; null: as that rental's own setting says. */
  readonly whileAsleep: WhileAsleep | null;
  readonly modes: RouteModes;
}

export const defaultLimits: RouteLimits = Object.freeze({
  retries: 1,
  maxAttempts: 6,
  deadlineMs: null,
  firstTokenMs: null,
  maxQueueWaitMs: null,
  maxOutputTokens: null,
});

/** The route of a name that the settings do not mention and a backend serves: one target, and never another model. */
export function routeToOne(alias: string, target: Target): Route {
  return {
    alias,
    mode: "plain",
    groups: [
      {
        name: "1",
        targets: [{ target, weight: 1, region: null, data: null, contextLength: null }],
        strategy: "in-order",
        prefer: [],
      },
    ],
    rules: [],
    limits: defaultLimits,
    localOnly: false,
    data: "any",
    regions: [],
    fallbackOn: [],
    whileAsleep: null,
    modes: noModes,
  };
}
