/**
 * Which targets are tried for a request, in which order and why. Pure. The router carries the plan out; people read its
 * reasons in the ledger and on the screen.
 */
import { editDistance } from "../edit-distance.ts";

/** Why a target was chosen, as data; the words are in `reasonWords`. */
export type ReasonCode = "only_target";

export const reasonWords: Readonly<Record<ReasonCode, string>> = Object.freeze({
  only_target: "the only place that serves this model",
});

/** One model at one backend. */
export interface Target {
  readonly backendId: string;
  readonly model: string;
}

export interface PlannedAttempt {
  readonly target: Target;
  readonly reason: ReasonCode;
}

/** `engine/lanthorn-demo`: how rows, headers and people name a target. */
export function targetName(target: Target): string {
  return `${target.backendId}/${target.model}`;
}

/** What each backend answers for; asked for an alias. Empty when nobody serves it. */
export function planAttempts(alias: string, targets: readonly Target[]): readonly PlannedAttempt[] {
  return targets
    .filter((target) => target.model === alias)
    .slice(0, 1)
    .map((target) => ({ target, reason: "only_target" }));
}

/** Names a person may have meant: the closest first, at most three. */
export function similarNames(asked: string, known: readonly string[]): readonly string[] {
  return known
    .map((name) => ({ name, distance: editDistance(asked.toLowerCase().slice(0, 100), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(2, name.length / 3))
    .sort((left, right) => left.distance - right.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}
