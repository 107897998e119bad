/**
 * How fast may be downloaded: a bucket that fills with bytes, and what is taken beyond it is waited for. The decision is
 * pure; time is handed in. Runs in the server process and in commands.
 */

/** The bucket holds this long a time's worth, so that a short pause does not cost speed. */
const burstMs = 500;

export class RateCap {
  #bytesPerSecond: number;
  #level = 0;
  #atMs: number;

  /** 0 is no cap. */
  constructor(bytesPerSecond: number, nowMs: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#atMs = nowMs;
    this.#level = this.#holds;
  }

  get #holds(): number {
    return (this.#bytesPerSecond * burstMs) / 1000;
  }

  /** Takes the bytes, which have come already, and says how long the next ones must wait. */
  take(bytes: number, nowMs: number): number {
    if (this.#bytesPerSecond === 0) return 0;
    const filled = this.#level + ((nowMs - this.#atMs) * this.#bytesPerSecond) / 1000;
    this.#level = Math.min(this.#holds, filled) - bytes;
    this.#atMs = nowMs;
    return this.#level >= 0 ? 0 : (-this.#level * 1000) / this.#bytesPerSecond;
  }

  /** Bytes that are taken at once, so that a slow cap gives a steady trickle and not bursts with long silences. */
  get sliceBytes(): number {
    if (this.#bytesPerSecond === 0) return Number.POSITIVE_INFINITY;
    return Math.max(1024, Math.floor(this.#bytesPerSecond / 4));
  }
}
