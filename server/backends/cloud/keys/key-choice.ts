/**
 * Which of a provider's keys is asked with next, and how long one is left alone after a failure. Pure: facts and a random number
 * in, a decision out; `key-pool.ts` carries it out.
 */
import type { Failure } from "../../../domain/failure.ts";

export interface KeyFacts {
  readonly id: string;
  /** How large a share of the calls it gets beside others. */
  readonly weight: number;
  /** Monotonic milliseconds; null: it may be used. */
  readonly coolsUntilMs: number | null;
  /** When it was last sent to cool, monotonic milliseconds; null: never. */
  readonly cooledAtMs: number | null;
  /** Failures of the same kind in a row. */
  readonly strikes: number;
}

/** So long after its rest a key stands behind those that never failed; then it is as good as they are. */
const distrustMs = 60_000;

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** Without a word of the provider: doubled by each strike, up to the cap. */
const rateRest = { firstMs: secondMs, mostMs: minuteMs };
/** A provider may ask for a day; somebody may have bought more meanwhile. */
const mostAskedMs = 10 * minuteMs;
/** A key that is not taken stays so until somebody changes something. */
const refusedMs = hourMs;
/** Credit and quotas come back by hand, or at the turn of a day. */
const quotaMs = 6 * hourMs;

/** How long the key rests; null: the failure says nothing about the key. */
export function restMs(failure: Failure, strikes: number): number | null {
  if (failure.kind.coolsDown !== "key") return null;
  switch (failure.code) {
    case "upstream_key_refused":
      return refusedMs;
    case "upstream_quota":
      return quotaMs;
    default:
      return failure.coolDownMs === null
        ? Math.min(rateRest.mostMs, rateRest.firstMs * 2 ** Math.min(strikes, 20))
        : Math.min(mostAskedMs, Math.max(0, failure.coolDownMs));
  }
}

function isCooling(key: KeyFacts, nowMs: number): boolean {
  return key.coolsUntilMs !== null && key.coolsUntilMs > nowMs;
}

/** When it was sent to cool, as far as that still counts against it. */
function grudge(key: KeyFacts, nowMs: number): number {
  if (key.cooledAtMs === null || key.coolsUntilMs === null || nowMs - key.coolsUntilMs >= distrustMs) {
    return Number.NEGATIVE_INFINITY;
  }
  return key.cooledAtMs;
}

/**
 * The one that cooled least recently, of those that do not cool; among equals by weight. `random` is 0 up to, not including, 1.
 * Null: all of them cool, or there are none.
 */
export function chooseKey<Key extends KeyFacts>(keys: readonly Key[], nowMs: number, random: number): Key | null {
  const able = keys.filter((key) => !isCooling(key, nowMs));
  const least = Math.min(...able.map((key) => grudge(key, nowMs)));
  const equals = able.filter((key) => grudge(key, nowMs) === least);
  let left = random * equals.reduce((sum, key) => sum + key.weight, 0);
  for (const key of equals) {
    left -= key.weight;
    if (left < 0) return key;
  }
  return equals.at(-1) ?? null;
}

/** The one that is back first; null: there are none. */
export function firstBack<Key extends KeyFacts>(keys: readonly Key[]): Key | null {
  return keys.reduce<Key | null>(
    (best, key) => (best === null || (key.coolsUntilMs ?? 0) < (best.coolsUntilMs ?? 0) ? key : best),
    null,
  );
}
