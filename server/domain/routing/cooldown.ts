/**
 * Who is left alone after failing, and when one request may try whether it is back. A pure state machine per target; times are
 * monotonic milliseconds that the caller hands in.
 */
import { type FailureCode, failureKinds } from "../failure.ts";

/** `half-open`: its time is over, and one request goes there as a probe; the others go elsewhere until its first content has come. */
export type CooldownState = "closed" | "open" | "half-open";

export interface Cooldown {
  /** Failures since the last success. */
  readonly failures: number;
  /** How often in a row it was left alone; each time twice as long. */
  readonly trips: number;
  /** Left alone until then; null: it is not. */
  readonly untilMs: number | null;
  readonly sinceMs: number | null;
  readonly reason: FailureCode | null;
  /** A probe is under way. */
  readonly probing: boolean;
}

export type CooldownEvent =
  /** `coolDownMs`: as long as the upstream itself asked for; null: it did not say. `outOfKeys`: no other key is left there. */
  | {
      readonly type: "failed";
      readonly code: FailureCode;
      readonly coolDownMs: number | null;
      readonly outOfKeys: boolean;
      readonly probe: boolean;
    }
  | { readonly type: "succeeded"; readonly probe: boolean }
  | { readonly type: "probe-begun" }
  /** Its first content has come: others may go there while it goes on. */
  | { readonly type: "probe-answers" }
  /** It ended without telling anything: the client left. */
  | { readonly type: "probe-left" };

export const notCooling: Cooldown = Object.freeze({
  failures: 0,
  trips: 0,
  untilMs: null,
  sinceMs: null,
  reason: null,
  probing: false,
});

/** Failures in a row after which a target is left alone, where nobody named a time. */
const failuresToTrip = 3;
const firstCoolDownMs = 5_000;
/** No upstream and no row of failures keeps a target away for longer than this without another look. */
const longestCoolDownMs = 300_000;
/** A model that is not there will not be in five seconds either. */
const missingCoolDownMs = 60_000;

/** With `nowMs` from the same clock as the events. */
export function cooldownState(cooldown: Cooldown, nowMs: number): CooldownState {
  if (cooldown.untilMs === null) return "closed";
  return nowMs < cooldown.untilMs ? "open" : "half-open";
}

/** True where a request may go now: closed, or half open with no probe under way. */
export function mayAsk(cooldown: Cooldown, nowMs: number): boolean {
  const state = cooldownState(cooldown, nowMs);
  return state === "closed" || (state === "half-open" && !cooldown.probing);
}

/** How long until it may be asked. A probe under way counts as the shortest wait. */
export function waitMs(cooldown: Cooldown, nowMs: number): number {
  if (mayAsk(cooldown, nowMs)) return 0;
  return Math.max(1, (cooldown.untilMs ?? nowMs) - nowMs);
}

export function stepCooldown(cooldown: Cooldown, event: CooldownEvent, nowMs: number): Cooldown {
  switch (event.type) {
    case "probe-begun":
      return { ...cooldown, probing: true };
    case "probe-answers":
      // How often it failed is kept until the answer is whole: one that breaks off is a failed try like any other.
      return { ...cooldown, untilMs: null, probing: false };
    case "probe-left":
      return { ...cooldown, probing: false };
    case "succeeded":
      // An answer that began before the trouble says nothing about now.
      return cooldown.untilMs !== null && !(event.probe && cooldown.probing) ? cooldown : notCooling;
    case "failed":
      return afterFailure(cooldown, event, nowMs);
  }
}

type Failed = Extract<CooldownEvent, { type: "failed" }>;

function afterFailure(cooldown: Cooldown, event: Failed, nowMs: number): Cooldown {
  const kind = failureKinds[event.code];
  const whose = "coolsDown" in kind ? kind.coolsDown : undefined;
  const concerns = whose === "target" || (whose === "key" && event.outOfKeys);
  // A probe that was refused for the request's own sake was answered: the target is back.
  if (!concerns) return event.probe ? notCooling : cooldown;
  const failures = cooldown.failures + 1;
  // Others that fail while it is left alone were sent before; they do not make it worse.
  if (cooldown.untilMs !== null && !event.probe && event.coolDownMs === null) return { ...cooldown, failures };
  const trips = cooldown.trips + (cooldown.untilMs === null || event.probe ? 1 : 0);
  const lasts = lastsMs(event, whose === "key", failures, Math.max(1, trips));
  if (lasts === null) return { ...cooldown, failures };
  const untilMs = Math.max(event.probe ? 0 : (cooldown.untilMs ?? 0), nowMs + lasts);
  return {
    failures,
    trips,
    untilMs,
    sinceMs: nowMs,
    reason: event.code,
    probing: event.probe ? false : cooldown.probing,
  };
}

/** Null: not yet. */
function lastsMs(event: Failed, isOfKeys: boolean, failures: number, trips: number): number | null {
  if (event.coolDownMs !== null) return Math.min(Math.max(event.coolDownMs, 1), longestCoolDownMs);
  if (event.code === "upstream_model_missing") return missingCoolDownMs;
  const doubled = Math.min(firstCoolDownMs * 2 ** Math.min(trips - 1, 10), longestCoolDownMs);
  if (event.probe || isOfKeys) return doubled;
  return failures >= failuresToTrip ? doubled : null;
}
