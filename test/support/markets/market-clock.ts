/**
 * The clock of a stand-in market: runs at a speed of its own, can be moved on at once, and has what is due happen at its very moment, however
 * late a real timer is. Whoever reads the time sees everything done that was due by then.
 */
interface Due {
  readonly atMs: number;
  readonly work: () => void;
}

const longestTimerMs = 2 ** 31 - 1;

export class MarketClock {
  readonly #speed: number;
  readonly #startMs: number;
  readonly #began = performance.now();
  #advancedMs = 0;
  #due: Due[] = [];
  /** The moment of what is being done just now; null: nothing is. */
  #atMs: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  /** `speed` 0: only `advance` moves it. */
  constructor(speed: number, startMs: number) {
    this.#speed = speed;
    this.#startMs = startMs;
  }

  /** Epoch milliseconds, whole. */
  now(): number {
    if (this.#atMs !== null) return this.#atMs;
    this.#catchUp();
    return this.#present();
  }

  /** At that moment; a moment that is past is now. The returned function cancels. */
  at(atMs: number, work: () => void): () => void {
    const due = { atMs, work };
    this.#due.push(due);
    this.#arm();
    return () => {
      this.#due = this.#due.filter((one) => one !== due);
    };
  }

  /** So much time passes at once, and all that is due in it happens in order. */
  advance(ms: number): void {
    this.#advancedMs += ms;
    this.#catchUp();
  }

  stop(): void {
    this.#isStopped = true;
    this.#due = [];
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #present(): number {
    return Math.floor(this.#startMs + (performance.now() - this.#began) * this.#speed + this.#advancedMs);
  }

  #catchUp(): void {
    if (this.#atMs !== null) return;
    for (;;) {
      const presentMs = this.#present();
      const [next] = this.#due.filter(({ atMs }) => atMs <= presentMs).sort((one, other) => one.atMs - other.atMs);
      if (next === undefined) break;
      this.#due = this.#due.filter((one) => one !== next);
      this.#atMs = next.atMs;
      try {
        next.work();
      } finally {
        this.#atMs = null;
      }
    }
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isStopped || this.#speed <= 0 || this.#due.length === 0) return;
    const firstMs = Math.min(...this.#due.map(({ atMs }) => atMs));
    const waitMs = Math.min(longestTimerMs, Math.max(0, (firstMs - this.#present()) / this.#speed));
    this.#timer = setTimeout(() => this.#catchUp(), Math.ceil(waitMs));
    this.#timer.unref();
  }
}
