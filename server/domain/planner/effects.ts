/** What caches, batches, routing, promises and shorter contexts take off. Pure; shares as percent, 0 to 100. */
import { compare, minus, one, over, percent, plus, type Ratio, ratio, times, zero } from "./ratio.ts";

/** Percent by which `after` is below `before`; negative: it is above. Nothing from nothing is 0. */
export function percentBelow(before: Ratio, after: Ratio): Ratio {
  if (compare(before, zero) === 0) return zero;
  return times(over(minus(before, after), before), ratio(100));
}

/** Of a cost, what is left when so many percent of the requests are answered from a cache. */
export function afterCache(cost: Ratio, hitPercent: number): Ratio {
  return times(cost, minus(one, percent(hitPercent)));
}

/** Of a price, what is left after a discount. */
export function afterDiscount(cost: Ratio, discountPercent: number): Ratio {
  return afterCache(cost, discountPercent);
}

/** One of several that are computed together: the time of all over their number. */
export function eachOfBatch(wholeMs: number, size: number): Ratio {
  return ratio(wholeMs, size);
}

export interface RoutedShare {
  readonly percent: number;
  /** Cost of one query there, in any unit. */
  readonly cost: Ratio;
}

/** The average query when each place takes its share. */
export function routed(shares: readonly RoutedShare[]): Ratio {
  return plus(...shares.map((share) => times(percent(share.percent), share.cost)));
}

/** Tokens of a conversation when each of its turns sends all before it, at most `limit` of them; null: no limit. */
export function conversationTokens(turns: number, tokensPerTurn: number, limit: number | null): number {
  let sum = 0;
  for (let turn = 1; turn <= turns; turn += 1) {
    const whole = turn * tokensPerTurn;
    sum += limit === null ? whole : Math.min(whole, limit);
  }
  return sum;
}

/** Pieces of a text that is longer than a context. */
export function piecesOf(tokens: number, contextTokens: number): number {
  return Math.ceil(tokens / contextTokens);
}

/** Requests in a minute when so many come within some seconds. */
export function perMinute(requests: number, withinSeconds: number): Ratio {
  return ratio(requests * 60, withinSeconds);
}

/** Steps one after the other, and the same side by side. */
export function inSequence(ms: readonly number[]): number {
  return ms.reduce((sum, one) => sum + one, 0);
}

export function sideBySide(ms: readonly number[]): number {
  return Math.max(0, ...ms);
}
