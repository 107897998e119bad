/** How fast bytes have come over the last seconds. Pure state; monotonic milliseconds are passed in. */

/** What is looked back on. Shorter jumps about, longer shows a speed that is no longer true. */
const windowMs = 5_000;
const bucketMs = 250;

interface Bucket {
  readonly startMs: number;
  bytes: number;
}

export class Pace {
  #buckets: Bucket[] = [];
  #beganMs: number | null = null;

  add(bytes: number, nowMs: number): void {
    this.#beganMs ??= nowMs;
    const last = this.#buckets.at(-1);
    if (last !== undefined && nowMs - last.startMs < bucketMs) last.bytes += bytes;
    else this.#buckets.push({ startMs: nowMs, bytes });
    this.#forget(nowMs);
  }

  /** Null when nothing came in the window. */
  perSecond(nowMs: number): number | null {
    this.#forget(nowMs);
    if (this.#beganMs === null || this.#buckets.length === 0) return null;
    const bytes = this.#buckets.reduce((sum, bucket) => sum + bucket.bytes, 0);
    return (bytes * 1000) / Math.max(bucketMs, Math.min(windowMs, nowMs - this.#beganMs));
  }

  /** After a pause the old speed is nobody's. */
  reset(): void {
    this.#buckets = [];
    this.#beganMs = null;
  }

  #forget(nowMs: number): void {
    this.#buckets = this.#buckets.filter((bucket) => nowMs - bucket.startMs < windowMs);
  }
}
