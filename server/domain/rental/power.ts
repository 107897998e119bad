/**
 * Whether what is rented for a name can answer, in words: the plan, `route explain`, `route health`, `/admin/state` and the client's
 * error line say it the same way. Pure.
 */
import type { Nanos } from "../money.ts";

/** What a request does while the machine is asleep: it waits, or it goes on to the route's next target. */
export const meanwhiles = Object.freeze(["wait", "fallback"] as const);
export type WhileAsleep = (typeof meanwhiles)[number];

/**
 * `ready`: at least one instance answers. `waking`: one is on its way. `asleep`: a request wakes it. `refused`: a request does not,
 * as the settings or a cap stand. `failed`: the last try came to nothing, and for a while there is no other.
 */
export const powerStates = Object.freeze(["ready", "waking", "asleep", "refused", "failed"] as const);
export type PowerState = (typeof powerStates)[number];

/** Why it is refused or failed: a cap on what may be spent, the settings, or what came of the last try. */
export const powerRefusals = Object.freeze(["cap", "settings", "failure"] as const);
export type PowerRefusal = (typeof powerRefusals)[number];

export interface PowerFacts {
  readonly state: PowerState;
  /** Instances that answer, and those on their way. */
  readonly ready: number;
  readonly coming: number;
  /** Epoch milliseconds of the last change; null: not known. */
  readonly since: number | null;
  /** Until it is ready; of one that is asleep from the moment it is woken. Null: nobody knows. */
  readonly expectedMs: number | null;
  /** Until it is tried again after a failure; null: it does not change by itself. */
  readonly retryMs: number | null;
  /** Null: it is neither refused nor failed. */
  readonly refusal: PowerRefusal | null;
  /** Why, in words; of one that is asleep what a request does to it. Empty: nothing to add. */
  readonly detail: string;
  /** What a request does until then, where its route does not say. */
  readonly whileAsleep: WhileAsleep;
  /** What waking it comes to at least: until it is stopped again for being idle. Null: not known. 0: it is on. */
  readonly wakeNanos: Nanos | null;
}

export interface PowerView extends PowerFacts {
  readonly words: string;
}

/** A request could be answered there, now or after a wait. */
export function canAnswer({ state }: Pick<PowerFacts, "state">): boolean {
  return state === "ready" || state === "waking" || state === "asleep";
}

export function powerView(facts: PowerFacts, nowMs: number): PowerView {
  return { ...facts, words: powerWords(facts, nowMs) };
}

function powerWords({ state, ready, coming, since, expectedMs, retryMs, detail }: PowerFacts, nowMs: number): string {
  const more = detail === "" ? "" : `: ${detail.replace(/\.$/, "")}`;
  switch (state) {
    case "ready":
      return `ready (${ready === 1 ? "1 instance" : `${ready} instances`}${coming > 0 ? `, ${coming} more starting` : ""})`;
    case "waking": {
      const forMs = since === null ? null : Math.max(0, nowMs - since);
      const so = forMs === null ? "" : ` for ${roughly(forMs)}`;
      return `being started${so}${expectedMs === null ? "" : `, ready in about ${roughly(expectedMs)}`}`;
    }
    case "asleep": {
      const about = expectedMs === null ? "" : `, which takes about ${roughly(expectedMs)}`;
      return `asleep; a request ${detail === "" ? "starts it" : detail}${about}`;
    }
    case "refused":
      return `not started${more}`;
    case "failed":
      return `could not be started${more}${retryMs === null ? "" : `; tried again in ${roughly(retryMs)}`}`;
  }
}

/** `40 s`, `3 min`, `2 h`: for figures that are guesses anyway. */
export function roughly(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
