/** The two limits of the spike, in memory: a token bucket of requests and a bound on requests in flight, per key. Pure; time is passed in. */

export interface Limits {
  /** Whole seconds until it may be tried again, or 0: taken, and `leave` is owed. */
  enter(key: string, nowMs: number): number;
  leave(key: string): void;
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
  inFlight: number;
}

export function createLimits(options: { readonly perSecond: number; readonly mostInFlight: number }): Limits {
  const { perSecond, mostInFlight } = options;
  const buckets = new Map<string, Bucket>();
  return {
    enter(key, nowMs) {
      let bucket = buckets.get(key);
      if (bucket === undefined) {
        bucket = { tokens: perSecond, filledAtMs: nowMs, inFlight: 0 };
        buckets.set(key, bucket);
      }
      bucket.tokens = Math.min(perSecond, bucket.tokens + ((nowMs - bucket.filledAtMs) / 1000) * perSecond);
      bucket.filledAtMs = nowMs;
      if (bucket.inFlight >= mostInFlight) return 1;
      if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / perSecond);
      bucket.tokens -= 1;
      bucket.inFlight += 1;
      return 0;
    },
    leave(key) {
      const bucket = buckets.get(key);
      if (bucket !== undefined) bucket.inFlight -= 1;
    },
  };
}
