/** How many attempts the mode of a route needs: the limit holds for drafts, votes and questions on the side too. Pure. */
import { type Route, defaultLimits } from "../route.ts";
import type { RouteMode } from "../modes.ts";

type Facts = Pick<Route, "mode" | "groups" | "modes">;

/** What is asked after a draft or votes that do not do. */
const escalation: Readonly<Record<RouteMode, boolean>> = Object.freeze({
  plain: false,
  cascade: true,
  consensus: true,
});

/** Of a mode once, without retries, judges and further rounds: with fewer it cannot do what it is for. */
export function attemptsOfMode({ mode, groups }: Facts): number {
  const first = mode === "consensus" ? (groups[0]?.targets.length ?? 0) : 1;
  return first + (escalation[mode] && groups.length > 1 ? 1 : 0);
}

/** What stands before the mode: choosing the tier and condensing. */
export function fewestAttempts(route: Facts): number {
  const { brief, classify } = route.modes;
  return attemptsOfMode(route) + (brief === null ? 0 : 1) + (classify === null ? 0 : 1);
}

/** Where a route does not say how many: the usual number, or all that its mode may ask, each once. */
export function usualAttempts(route: Facts): number {
  const { mode, groups, modes } = route;
  const judge = modes.asides.judge === undefined ? 0 : 1;
  const { rounds } = modes.consensus;
  const further = mode === "consensus" ? (rounds - 1) * (groups[0]?.targets.length ?? 0) + rounds * judge : judge;
  return Math.max(defaultLimits.maxAttempts, fewestAttempts(route) + further);
}
