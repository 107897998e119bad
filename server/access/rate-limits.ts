/**
 * Limits per key, person and model: requests per minute, tokens per minute, requests at the same time. Runs in the server;
 * the clock is passed in. Who finds no room waits up to a set time for it. A refusal here is counted and leaves no row: a
 * client that hammers on must not fill the ledger.
 */
import { type Caller, callerId } from "../domain/caller.ts";
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";
import type { RateLeft, RateRefusals, RateState } from "../domain/rate.ts";
import { type Blocked, Limit, limitsByName, type LimitSettings, type SomeLimits, type Want } from "./limit.ts";
import { createWaitingRoom } from "./waiting-room.ts";

/** 0: no limit. The first three are for every key that has none of its own; keyless callers are one. */
export interface RateLimitSettings extends LimitSettings {
  /** How long a request may wait for room; absent: it is refused at once. */
  readonly waitMs?: number;
  /** By the name of a person, all their keys together; `*`: everybody who is not named. */
  readonly persons?: Readonly<Record<string, SomeLimits>>;
  /** By alias, whoever asks. */
  readonly models?: Readonly<Record<string, SomeLimits>>;
}

/** A request that was let in. */
export interface Pass {
  /** False: tokens have no limit, and nobody need count them. To be asked after `reserve`. */
  readonly countsTokens: boolean;
  /**
   * Asks the model's limits for room, and takes what the prompt will cost, as far as can be guessed; `estimate` is asked
   * only where tokens have a limit. A promise: it waits. Throws, or rejects with, Failure `rate_limited`. Once at most.
   */
  reserve(estimate: () => number, alias: string): void | Promise<void>;
  /** Corrects what was reserved by what was used, prompt and answer. The first call counts. */
  settle(tokens: number): void;
  /** The request has ended. The first call counts. */
  leave(): void;
}

/** Gives the signal that ends a wait; asked for only when there is one. */
export type Leaving = () => AbortSignal;

export interface RateLimits {
  /** A promise: it waits. Throws, or rejects with, Failure `rate_limited`. Whoever is let in must `leave`. */
  enter(caller: Caller, leaving?: Leaving): Pass | Promise<Pass>;
  state(caller: Caller): RateState;
  /** Who was refused how often since the start. */
  refusals(): readonly RateRefusals[];
}

export function createRateLimits(settings: RateLimitSettings, clock: Clock): RateLimits {
  const monotonicMs = () => clock.monotonicMs();
  /** By caller id. Callers are keys that somebody made, so these stay. */
  const keys = new Map<string, { readonly limit: Limit; limits: Caller["limits"] }>();
  const personLimit = limitsByName(settings.persons, " by this person", monotonicMs);
  const modelLimit = limitsByName(settings.models, " for this model", monotonicMs);
  const refusals = new Map<string, RateRefusals>();
  const room = createWaitingRoom(clock, settings.waitMs ?? 0);

  function settingsOf({ limits }: Caller): LimitSettings {
    return {
      requestsPerMinute: limits?.requestsPerMinute ?? settings.requestsPerMinute,
      tokensPerMinute: limits?.tokensPerMinute ?? settings.tokensPerMinute,
      concurrent: limits?.concurrent ?? settings.concurrent,
    };
  }

  function keyLimit(caller: Caller): Limit {
    const id = callerId(caller);
    const known = keys.get(id);
    if (known === undefined) {
      const limit = new Limit(settingsOf(caller), "", monotonicMs());
      keys.set(id, { limit, limits: caller.limits });
      return limit;
    }
    if (known.limits !== caller.limits) {
      known.limits = caller.limits;
      known.limit.change(settingsOf(caller), monotonicMs());
    }
    return known.limit;
  }

  /** The key's and, where one is set, the person's. */
  function limitsOf(caller: Caller): readonly Limit[] {
    const person = personLimit(caller.name);
    return person === null ? [keyLimit(caller)] : [keyLimit(caller), person];
  }

  function refuser(caller: Caller): (blocked: Blocked) => Failure {
    return ({ words, waitMs }) => {
      const id = callerId(caller);
      const refused = (refusals.get(id)?.refused ?? 0) + 1;
      refusals.set(id, { caller: caller.name, refused, lastAt: clock.now() });
      const retryAfter = waitMs === null ? {} : { retryAfterSeconds: waitMs / 1_000 };
      return new Failure("rate_limited", `Rate limit reached: ${words}. Please try again later.`, retryAfter);
    };
  }

  function passOf(caller: Caller, own: readonly Limit[], leaving: Leaving | undefined): Pass {
    /** Where a place is held. */
    const held = [...own];
    let counting = own.filter((limit) => limit.countsTokens);
    let reserved = 0;
    let settled = false;
    let left = false;
    const signal = leaving ?? null;
    const priority = caller.limits?.priority ?? 0;
    return {
      get countsTokens() {
        return counting.length > 0;
      },
      reserve(estimate, alias) {
        const model = modelLimit(alias);
        if (model === null && counting.length === 0) return;
        const tokens = counting.length > 0 || model?.countsTokens === true ? estimate() : 0;
        const wants: Want[] = counting.map((limit) => ({ limit, request: false, place: false, tokens }));
        if (model !== null) wants.push({ limit: model, request: true, place: true, tokens });
        const take = () => {
          if (left) {
            model?.leave();
            return;
          }
          reserved = tokens;
          if (model === null) return;
          held.push(model);
          if (model.countsTokens) counting = [...counting, model];
        };
        const waiting = room.take({ wants, priority, signal }, refuser(caller));
        if (waiting !== null) return waiting.then(take);
        take();
      },
      settle(used) {
        if (settled) return;
        settled = true;
        for (const limit of counting) limit.correct(used - reserved, monotonicMs());
        if (counting.length > 0) room.freed();
      },
      leave() {
        if (left) return;
        left = true;
        for (const limit of held) limit.leave();
        room.freed();
      },
    };
  }

  /** The tighter one of two. */
  function tightest(ways: readonly (RateLeft | null)[]): RateLeft | null {
    return ways.reduce((least, way) => {
      if (way === null || least === null) return way ?? least;
      return way.remaining < least.remaining ? way : least;
    }, null);
  }

  return {
    enter(caller, leaving) {
      const own = limitsOf(caller);
      const wants = own.map((limit): Want => ({ limit, request: true, place: true, tokens: 0 }));
      const turn = { wants, priority: caller.limits?.priority ?? 0, signal: leaving ?? null };
      const waiting = room.take(turn, refuser(caller));
      if (waiting !== null) return waiting.then(() => passOf(caller, own, leaving));
      return passOf(caller, own, leaving);
    },
    state(caller) {
      const person = personLimit(caller.name);
      const own = keys.get(callerId(caller))?.limit ?? keyLimit(caller);
      const ways = person === null ? [own] : [own, person];
      const nowMs = clock.monotonicMs();
      return {
        requests: tightest(ways.map((limit) => limit.requestsLeft(nowMs))),
        tokens: tightest(ways.map((limit) => limit.tokensLeft(nowMs))),
      };
    },
    refusals: () => [...refusals.values()],
  };
}
