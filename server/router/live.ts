/**
 * What is known of each target from the requests that went there: how many it holds, how fast it was, whether it is left alone.
 * In memory of the server process; the rules are pure and live in `domain/routing`.
 */
import type { EndEvent } from "../domain/chat.ts";
import type { Clock } from "../domain/ports.ts";
import {
  type Cooldown,
  type CooldownEvent,
  cooldownState,
  mayAsk,
  notCooling,
  stepCooldown,
  waitMs,
} from "../domain/routing/cooldown.ts";
import { averageOf, type Decayed, measured, nothingMeasured } from "../domain/routing/decayed.ts";
import type { Candidate } from "../domain/routing/target.ts";

interface Entry {
  inFlight: number;
  cooldown: Cooldown;
  ttft: Decayed;
  total: Decayed;
  /** Part of the prompt that came from the cache, 0 to 1. */
  cachedShare: Decayed;
  /** Epoch milliseconds; null: not yet. */
  answeredAtMs: number | null;
}

export interface AttemptEnd {
  readonly end: EndEvent;
  /** From the attempt's start to its first content; null: there was none. */
  readonly ttftMs: number | null;
  readonly totalMs: number;
  /** It failed with a key, and no other one is left. */
  readonly outOfKeys: boolean;
  /** Its end says nothing about the target: our own deadline cut it. */
  readonly notItsFault: boolean;
}

export interface Live {
  /** The attempt goes there now; true: as the probe of a target that has failed. */
  opened(target: string): boolean;
  /** Its first content has come. */
  answers(target: string, probe: boolean): void;
  closed(target: string, probe: boolean, attempt: AttemptEnd): void;
  /** Milliseconds until it may be asked; 0: now. */
  coolingMs(target: string): number;
  facts(target: string): Pick<Candidate, "inFlight" | "ttftMs" | "totalMs" | "cooldown"> & {
    readonly cachedShare: number;
  };
  /** It was looked at and answered: it is left alone no longer. */
  answered(target: string): void;
  /** Nobody of this backend is left alone any more. */
  forgive(backendId: string): void;
  /** For people. Times are epoch milliseconds. */
  view(target: string): TargetLife;
}

export interface TargetLife {
  readonly inFlight: number;
  readonly ttftMs: number | null;
  readonly totalMs: number | null;
  readonly answeredAtMs: number | null;
  readonly cooldown: {
    readonly state: "closed" | "open" | "half-open";
    readonly failures: number;
    readonly since: number | null;
    readonly until: number | null;
    readonly reason: string | null;
  };
}

/** Clients may name models that nobody lists; more targets than these are not remembered while nothing is going on there. */
const mostRemembered = 2_000;

export function createLive(clock: Clock): Live {
  const entries = new Map<string, Entry>();
  const entryOf = (target: string): Entry => {
    let entry = entries.get(target);
    if (entry === undefined) {
      entry = {
        inFlight: 0,
        cooldown: notCooling,
        ttft: nothingMeasured,
        total: nothingMeasured,
        cachedShare: nothingMeasured,
        answeredAtMs: null,
      };
      if (entries.size >= mostRemembered) forgetOne();
      entries.set(target, entry);
    }
    return entry;
  };
  /** The oldest that is neither busy nor left alone. */
  const forgetOne = () => {
    for (const [name, { inFlight, cooldown }] of entries) {
      if (inFlight > 0 || cooldown.untilMs !== null) continue;
      entries.delete(name);
      return;
    }
  };
  const happened = (entry: Entry, event: CooldownEvent) => {
    entry.cooldown = stepCooldown(entry.cooldown, event, clock.monotonicMs());
  };
  const epochOf = (monotonicMs: number | null) =>
    monotonicMs === null ? null : Math.round(clock.now() + monotonicMs - clock.monotonicMs());

  return {
    opened(target) {
      const entry = entryOf(target);
      entry.inFlight += 1;
      const nowMs = clock.monotonicMs();
      const probe = cooldownState(entry.cooldown, nowMs) === "half-open" && mayAsk(entry.cooldown, nowMs);
      if (probe) happened(entry, { type: "probe-begun" });
      return probe;
    },
    answers(target, probe) {
      if (probe) happened(entryOf(target), { type: "probe-answers" });
    },
    closed(target, probe, { end, ttftMs, totalMs, outOfKeys, notItsFault }) {
      const entry = entryOf(target);
      entry.inFlight -= 1;
      const nowMs = clock.monotonicMs();
      if (end.type === "failed" && !notItsFault) {
        const { code, coolDownMs } = end.failure;
        happened(entry, { type: "failed", code, coolDownMs, outOfKeys, probe });
      } else if (end.type === "finished") {
        happened(entry, { type: "succeeded", probe });
        entry.answeredAtMs = clock.now();
        if (ttftMs !== null) entry.ttft = measured(entry.ttft, ttftMs, nowMs);
        entry.total = measured(entry.total, totalMs, nowMs);
        const { promptTokens, cachedTokens } = end.usage;
        if (promptTokens > 0) entry.cachedShare = measured(entry.cachedShare, cachedTokens / promptTokens, nowMs);
      } else if (probe) happened(entry, { type: "probe-left" });
    },
    coolingMs: (target) => {
      const entry = entries.get(target);
      return entry === undefined ? 0 : waitMs(entry.cooldown, clock.monotonicMs());
    },
    facts(target) {
      const { inFlight, ttft, total, cachedShare, cooldown } = entryOf(target);
      const nowMs = clock.monotonicMs();
      const state = cooldownState(cooldown, nowMs);
      return {
        inFlight,
        ttftMs: averageOf(ttft, nowMs),
        totalMs: averageOf(total, nowMs),
        cachedShare: averageOf(cachedShare, nowMs) ?? 0,
        cooldown: {
          // While somebody probes, everybody else is kept away.
          state: mayAsk(cooldown, nowMs) ? state : "open",
          leftMs: waitMs(cooldown, nowMs),
          reason: cooldown.reason,
        },
      };
    },
    answered(target) {
      const entry = entryOf(target);
      entry.cooldown = notCooling;
      entry.answeredAtMs = clock.now();
    },
    forgive: (backendId) => {
      for (const [name, entry] of entries) if (name.startsWith(`${backendId}/`)) entry.cooldown = notCooling;
    },
    view(target) {
      const { inFlight, ttft, total, cooldown, answeredAtMs } = entryOf(target);
      const nowMs = clock.monotonicMs();
      return {
        inFlight,
        ttftMs: averageOf(ttft, nowMs),
        totalMs: averageOf(total, nowMs),
        answeredAtMs,
        cooldown: {
          state: cooldownState(cooldown, nowMs),
          failures: cooldown.failures,
          since: epochOf(cooldown.sinceMs),
          until: epochOf(cooldown.untilMs),
          reason: cooldown.reason,
        },
      };
    },
  };
}
