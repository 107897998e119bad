/**
 * The limits of one thing: a key, a person, a model, a provider. Requests per minute, tokens per minute, requests at the same
 * time. Pure state; monotonic milliseconds are passed in. Runs in the server.
 */
import type { RateLeft } from "../domain/rate.ts";
import { TokenBucket } from "./token-bucket.ts";

/** 0: no limit. */
export interface LimitSettings {
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
  readonly concurrent: number;
}

/** Some of them; what is absent is no limit. */
export type SomeLimits = { readonly [Name in keyof LimitSettings]?: LimitSettings[Name] | undefined };

/** What one request wants of a limit. */
export interface Want {
  readonly limit: Limit;
  /** Counts as a request of this minute. */
  readonly request: boolean;
  /** Takes one of the places of those that run at the same time, until it leaves. */
  readonly place: boolean;
  readonly tokens: number;
}

export interface Blocked {
  readonly limit: Limit;
  /** `60 requests per minute`, for the refusal. */
  readonly words: string;
  /** Until there is room at the earliest; null: when somebody leaves. */
  readonly waitMs: number | null;
}

export class Limit {
  #settings: LimitSettings;
  #requests: TokenBucket | null;
  #tokens: TokenBucket | null;
  #running = 0;
  /** ` for this model`: whose limit it is, as the one who is refused reads it. */
  readonly #whose: string;

  constructor(settings: LimitSettings, whose: string, nowMs: number) {
    this.#settings = settings;
    this.#whose = whose;
    this.#requests = bucket(settings.requestsPerMinute, nowMs);
    this.#tokens = bucket(settings.tokensPerMinute, nowMs);
  }

  get countsTokens(): boolean {
    return this.#tokens !== null;
  }

  get isNone(): boolean {
    return this.#requests === null && this.#tokens === null && this.#settings.concurrent === 0;
  }

  /** Takes new settings on; who runs goes on running, and what did not change keeps its level. */
  change(settings: LimitSettings, nowMs: number): void {
    const before = this.#settings;
    this.#settings = settings;
    if (before.requestsPerMinute !== settings.requestsPerMinute) {
      this.#requests = bucket(settings.requestsPerMinute, nowMs);
    }
    if (before.tokensPerMinute !== settings.tokensPerMinute) this.#tokens = bucket(settings.tokensPerMinute, nowMs);
  }

  /** Null: there is room for it now. */
  blocks({ request, place, tokens }: Want, nowMs: number): Blocked | null {
    const { concurrent, requestsPerMinute, tokensPerMinute } = this.#settings;
    if (place && concurrent > 0 && this.#running >= concurrent) {
      return this.#blocked(`${concurrent} requests at the same time`, null);
    }
    const requestsMs = request && this.#requests !== null ? this.#requests.waitMs(1, nowMs) : 0;
    if (requestsMs > 0) return this.#blocked(`${requestsPerMinute} requests per minute`, requestsMs);
    const tokensMs = tokens > 0 && this.#tokens !== null ? this.#tokens.waitMs(tokens, nowMs) : 0;
    return tokensMs > 0 ? this.#blocked(`${tokensPerMinute} tokens per minute`, tokensMs) : null;
  }

  take({ request, place, tokens }: Want, nowMs: number): void {
    if (request) this.#requests?.take(1, nowMs);
    if (place) this.#running += 1;
    if (tokens > 0) this.#tokens?.take(tokens, nowMs);
  }

  /** A negative amount is given back. */
  correct(tokens: number, nowMs: number): void {
    this.#tokens?.take(tokens, nowMs);
  }

  leave(): void {
    this.#running -= 1;
  }

  requestsLeft(nowMs: number): RateLeft | null {
    return this.#requests?.left(nowMs) ?? null;
  }

  tokensLeft(nowMs: number): RateLeft | null {
    return this.#tokens?.left(nowMs) ?? null;
  }

  #blocked(words: string, waitMs: number | null): Blocked {
    return { limit: this, words: words + this.#whose, waitMs };
  }
}

function bucket(limit: number, nowMs: number): TokenBucket | null {
  return limit === 0 ? null : new TokenBucket(limit, nowMs);
}

/** More different names than any box has; past it a name made up by a client has a limit that nobody shares. */
const mostNames = 10_000;

/** Limits by name, made when first asked for; `*` is for everybody who is not named. Null: no limit is set. */
export function limitsByName(
  settings: Readonly<Record<string, SomeLimits>> | undefined,
  whose: string,
  monotonicMs: () => number,
): (name: string) => Limit | null {
  const entries = new Map(Object.entries(settings ?? {}));
  if (entries.size === 0) return () => null;
  const others = entries.get("*");
  const known = new Map<string, Limit | null>();
  return (name) => {
    const made = known.get(name);
    if (made !== undefined) return made;
    const asked = name === "*" ? others : (entries.get(name) ?? others);
    // Names may be anybody's words: only those that have a limit are kept.
    if (asked === undefined) return null;
    const { requestsPerMinute = 0, tokensPerMinute = 0, concurrent = 0 } = asked;
    const limit = new Limit({ requestsPerMinute, tokensPerMinute, concurrent }, whose, monotonicMs());
    if (known.size < mostNames) known.set(name, limit.isNone ? null : limit);
    return limit.isNone ? null : limit;
  };
}
