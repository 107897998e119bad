/**
 * Counts what a lease costs, millisecond by millisecond, in whole nano-USD. Pure state; the time is handed in.
 *
 * Time is cut where something new is known, where a request begins or ends there, and at each quarter of an hour, because days begin on one
 * in every zone. Fractions of a nano-USD are carried on, so that the pieces of a lease are what the whole of it costs.
 *
 * A market's words hold until its next ones, as far as anybody knows. Then the time between the two costs the dearer of what they
 * say: when it changed nobody saw. So what was counted since the last look may grow at the next, and never shrinks.
 */
import type { Nanos } from "../money.ts";
import { type Billing, type BurnPiece, noBurn, type WorkDone } from "./burn.ts";
import { type Course, dearer, isDown, isRunning, isSame, type Tariff } from "./burn-course.ts";

/** Time since the last look, within one piece, that was counted in one way. */
interface Stretch {
  readonly piece: number;
  readonly fromMs: number;
  untilMs: number;
  readonly tariff: Tariff;
  /** Of it, with requests in flight. */
  usedMs: number;
}

export interface MeterStart {
  readonly course: Course;
  /** Written by an earlier run, oldest first. */
  readonly pieces: readonly BurnPiece[];
  /** The last look that is known of; epoch milliseconds. */
  readonly lookedAtMs: number;
  /** Where counting begins when there are no pieces. */
  readonly fromMs: number;
}

export interface MeterTake {
  /** Pieces that never change again, since this was last asked. */
  readonly closed: readonly BurnPiece[];
  /** All that may still grow, oldest first. */
  readonly open: readonly BurnPiece[];
  /** Those of both that have changed since this was last asked. */
  readonly changed: readonly BurnPiece[];
}

type Part = "gpuNanos" | "storageNanos";

const pieceMs = 900_000;
const hourMs = 3_600_000n;

export class BurnMeter {
  #course: Course;
  #inFlight = 0;
  #atMs: number;
  /** Pieces that time since the last look is in, by their beginnings; the last one runs. */
  readonly #open = new Map<number, BurnPiece>();
  #current: number;
  #closed: BurnPiece[] = [];
  readonly #changed = new Map<number, BurnPiece>();
  #since: Stretch[] = [];
  /** Nano-USD times milliseconds of an hour that are not a whole nano-USD yet. */
  readonly #carried: Record<Part, bigint> = { gpuNanos: 0n, storageNanos: 0n };

  constructor({ course, pieces, lookedAtMs, fromMs }: MeterStart) {
    this.#course = course;
    const last = pieces.at(-1) ?? { ...noBurn, fromMs, untilMs: fromMs };
    this.#current = last.fromMs;
    this.#atMs = last.untilMs;
    for (const piece of [...pieces.slice(0, -1), last]) {
      if (piece !== last && piece.untilMs <= lookedAtMs) {
        this.#closed.push(piece);
        continue;
      }
      this.#open.set(piece.fromMs, piece);
      this.#remember(piece, lookedAtMs);
    }
  }

  get billing(): Billing {
    return this.#tariffAt(this.#atMs).billing;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** From now on, and nobody has looked. */
  follows(course: Course, nowMs: number): void {
    this.advance(nowMs);
    this.#course = course;
  }

  /** A look has said so. It was true at some moment from when it was asked for until now, so the time from then on is looked at once more. */
  looked(course: Course, askedAtMs: number, nowMs: number): void {
    this.advance(nowMs);
    const rest: Stretch[] = [];
    for (const stretch of this.#since) {
      const tariff = dearer(stretch.tariff, course.known);
      this.#raise(stretch, tariff);
      if (stretch.untilMs <= askedAtMs) continue;
      const from = Math.max(stretch.fromMs, askedAtMs);
      rest.push({ ...stretch, tariff, fromMs: from, usedMs: Math.min(stretch.usedMs, stretch.untilMs - from) });
    }
    this.#since = rest;
    this.#course = course;
    for (const [key, piece] of this.#open) {
      if (key === this.#current || rest.some((stretch) => stretch.piece === key)) continue;
      this.#open.delete(key);
      this.#closed.push(piece);
    }
  }

  began(nowMs: number): void {
    this.advance(nowMs);
    this.#inFlight += 1;
  }

  ended({ completionTokens, uploadedBytes, downloadedBytes }: WorkDone, nowMs: number): void {
    this.advance(nowMs);
    this.#inFlight = Math.max(0, this.#inFlight - 1);
    const { uploadPerGbNanos, downloadPerGbNanos } = this.#course.rates;
    // What we send is what the machine downloads.
    const nanos = uploadedBytes * downloadPerGbNanos + downloadedBytes * uploadPerGbNanos;
    const piece = this.#piece(this.#current);
    this.#put({
      ...piece,
      completionTokens: piece.completionTokens + completionTokens,
      trafficNanos: piece.trafficNanos + Math.round(nanos / 1e9),
    });
  }

  /** Counts up to now. A time before the last one counts nothing. */
  advance(nowMs: number): void {
    while (this.#atMs < nowMs) {
      const { fromMs, untilMs } = this.#piece(this.#current);
      if (this.#atMs % pieceMs === 0 && untilMs > fromMs) {
        this.#current = this.#atMs;
        this.#open.set(this.#atMs, { ...noBurn, fromMs: this.#atMs, untilMs: this.#atMs });
      }
      const { staleAtMs } = this.#course;
      const stops = [nowMs, quarterOf(this.#atMs) + pieceMs, ...(staleAtMs > this.#atMs ? [staleAtMs] : [])];
      this.#count(Math.min(...stops));
    }
  }

  take(): MeterTake {
    const taken = { closed: this.#closed, open: [...this.#open.values()], changed: [...this.#changed.values()] };
    this.#closed = [];
    this.#changed.clear();
    return taken;
  }

  #tariffAt(atMs: number): Tariff {
    return atMs < this.#course.staleAtMs ? this.#course.known : this.#course.stale;
  }

  #piece(fromMs: number): BurnPiece {
    return this.#open.get(fromMs) ?? { ...noBurn, fromMs, untilMs: fromMs };
  }

  #put(piece: BurnPiece): void {
    this.#open.set(piece.fromMs, piece);
    this.#changed.set(piece.fromMs, piece);
  }

  #count(untilMs: number): void {
    const fromMs = this.#atMs;
    const ms = untilMs - fromMs;
    const tariff = this.#tariffAt(fromMs);
    const usedMs = this.#inFlight > 0 ? ms : 0;
    const last = this.#since.at(-1);
    if (last !== undefined && last.piece === this.#current && isSame(last.tariff, tariff) && last.untilMs === fromMs) {
      last.untilMs = untilMs;
      last.usedMs += usedMs;
    } else {
      this.#since.push({ piece: this.#current, fromMs, untilMs, tariff, usedMs });
    }
    this.#atMs = untilMs;
    const gpuNanos = this.#grown("gpuNanos", tariff.gpuPerHourNanos, ms);
    const storageNanos = this.#grown("storageNanos", tariff.storagePerHourNanos, ms);
    const piece = this.#piece(this.#current);
    const runs = isRunning(tariff);
    this.#put({
      ...piece,
      untilMs,
      gpuNanos: piece.gpuNanos + gpuNanos,
      storageNanos: piece.storageNanos + storageNanos,
      // What is used is never more than what was paid, whatever is carried.
      usedNanos: piece.usedNanos + (usedMs > 0 && runs ? gpuNanos + storageNanos : 0),
      runningMs: piece.runningMs + (runs ? ms : 0),
      stoppedMs: piece.stoppedMs + (isDown(tariff) ? ms : 0),
      unknownMs: piece.unknownMs + (tariff.billing === "unknown" ? ms : 0),
    });
  }

  /** What was counted at one price costs another, which is no less. */
  #raise({ piece: key, fromMs, untilMs, tariff: from, usedMs }: Stretch, to: Tariff): void {
    if (isSame(from, to)) return;
    const piece = this.#piece(key);
    // An earlier run may have counted some of it so already, under other settings.
    const mostMs = isRunning(to) && isDown(from) ? piece.stoppedMs : Number.POSITIVE_INFINITY;
    const ms = Math.min(untilMs - fromMs, mostMs);
    if (ms === 0) return;
    const gpuNanos = this.#grown("gpuNanos", to.gpuPerHourNanos - from.gpuPerHourNanos, ms);
    const storageNanos = this.#grown("storageNanos", to.storagePerHourNanos - from.storagePerHourNanos, ms);
    const startedMs = isRunning(to) && !isRunning(from) ? ms : 0;
    const downMs = isDown(to) && !isDown(from) && !isRunning(from) ? ms : 0;
    this.#put({
      ...piece,
      gpuNanos: piece.gpuNanos + gpuNanos,
      // Of what was stopped the disk may be the dearer one: then it is less, and the GPU more than that.
      storageNanos: Math.max(0, piece.storageNanos + storageNanos),
      usedNanos: piece.usedNanos + Math.floor(((gpuNanos + storageNanos) * Math.min(usedMs, ms)) / ms),
      runningMs: piece.runningMs + startedMs,
      stoppedMs: piece.stoppedMs + downMs - (isDown(from) ? startedMs : 0),
      unknownMs: piece.unknownMs + (to.billing === "unknown" ? startedMs : 0),
    });
  }

  /** How an earlier run counted what it has written since the last look. */
  #remember(piece: BurnPiece, lookedAtMs: number): void {
    const { fromMs: key } = piece;
    for (let fromMs = Math.max(key, lookedAtMs); fromMs < piece.untilMs; ) {
      const { staleAtMs } = this.#course;
      const untilMs = fromMs < staleAtMs ? Math.min(piece.untilMs, staleAtMs) : piece.untilMs;
      this.#since.push({ piece: key, fromMs, untilMs, tariff: this.#tariffAt(fromMs), usedMs: 0 });
      fromMs = untilMs;
    }
  }

  #grown(part: Part, perHour: Nanos, ms: number): Nanos {
    const total = BigInt(perHour) * BigInt(ms) + this.#carried[part];
    this.#carried[part] = total % hourMs;
    return Number(total / hourMs);
  }
}

/** The quarter of an hour that a moment is in. */
function quarterOf(ms: number): number {
  return Math.floor(ms / pieceMs) * pieceMs;
}
