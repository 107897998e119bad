/**
 * Limits per caller: requests per minute, tokens per minute, requests at the same time. Runs in the server; the clock is
 * passed in. A refusal here is counted and leaves no row: a client that hammers on must not fill the ledger.
 */
import { type Caller, callerId } from "../domain/caller.ts";
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";
import type { RateRefusals, RateState } from "../domain/rate.ts";
import { TokenBucket } from "./token-bucket.ts";

/** 0: no limit. The same for every caller; keyless callers are one. */
export interface RateLimitSettings {
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
  readonly concurrent: number;
}

/** A request that was let in. */
export interface Pass {
  /** False: tokens have no limit, and nobody need count them. */
  readonly countsTokens: boolean;
  /** Takes what the prompt will cost, as far as can be guessed. Throws Failure `rate_limited`. Call once at most. */
  reserve(estimatedTokens: number): void;
  /** Corrects what was reserved by what was used, prompt and answer. The first call counts. */
  settle(tokens: number): void;
  /** The request has ended. The first call counts. */
  leave(): void;
}

export interface RateLimits {
  /** Throws Failure `rate_limited`. Whoever is let in must `leave`. */
  enter(caller: Caller): Pass;
  state(caller: Caller): RateState;
  /** Who was refused how often since the start. */
  refusals(): readonly RateRefusals[];
}

/** What is known of one caller. Callers are keys that somebody made, so these stay. */
interface Account {
  readonly requests: TokenBucket | null;
  readonly tokens: TokenBucket | null;
  running: number;
}

export function createRateLimits(settings: RateLimitSettings, clock: Clock): RateLimits {
  const { requestsPerMinute, tokensPerMinute, concurrent } = settings;
  const accounts = new Map<string, Account>();
  const refusals = new Map<string, RateRefusals>();
  const bucket = (limit: number) => (limit === 0 ? null : new TokenBucket(limit, clock.monotonicMs()));

  function accountOf(caller: Caller): Account {
    const id = callerId(caller);
    const known = accounts.get(id);
    if (known !== undefined) return known;
    const account = { requests: bucket(requestsPerMinute), tokens: bucket(tokensPerMinute), running: 0 };
    accounts.set(id, account);
    return account;
  }

  function refuse(caller: Caller, limit: string, waitMs: number | null): never {
    const id = callerId(caller);
    const refused = (refusals.get(id)?.refused ?? 0) + 1;
    refusals.set(id, { caller: caller.name, refused, lastAt: clock.now() });
    const retryAfter = waitMs === null ? {} : { retryAfterSeconds: waitMs / 1_000 };
    throw new Failure("rate_limited", `Rate limit reached: ${limit}. Please try again later.`, retryAfter);
  }

  return {
    enter(caller) {
      const account = accountOf(caller);
      const nowMs = clock.monotonicMs();
      if (concurrent > 0 && account.running >= concurrent)
        refuse(caller, `${concurrent} requests at the same time`, null);
      const waitMs = account.requests?.waitMs(1, nowMs) ?? 0;
      if (waitMs > 0) refuse(caller, `${requestsPerMinute} requests per minute`, waitMs);
      account.requests?.take(1, nowMs);
      account.running += 1;
      let reserved = 0;
      let settled = false;
      let left = false;
      return {
        countsTokens: account.tokens !== null,
        reserve(estimatedTokens) {
          const { tokens } = account;
          if (tokens === null) return;
          const tokensWaitMs = tokens.waitMs(estimatedTokens, clock.monotonicMs());
          if (tokensWaitMs > 0) refuse(caller, `${tokensPerMinute} tokens per minute`, tokensWaitMs);
          tokens.take(estimatedTokens, clock.monotonicMs());
          reserved = estimatedTokens;
        },
        settle(used) {
          if (settled) return;
          settled = true;
          account.tokens?.take(used - reserved, clock.monotonicMs());
        },
        leave() {
          if (left) return;
          left = true;
          account.running -= 1;
        },
      };
    },
    state(caller) {
      const { requests, tokens } = accountOf(caller);
      const nowMs = clock.monotonicMs();
      return { requests: requests?.left(nowMs) ?? null, tokens: tokens?.left(nowMs) ?? null };
    },
    refusals: () => [...refusals.values()],
  };
}
