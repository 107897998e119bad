/**
 * What a lease costs, millisecond by millisecond, in whole nano-USD. Pure state; the time is handed in.
 *
 * Time is cut where the market says something new, where a request begins or ends there, and at each quarter of an hour, because days
 * begin on one in every zone. Within such a piece everything is constant. Fractions of a nano-USD are carried on, so that the pieces
 * of a lease are what the whole of it costs. What nobody knows counts as running.
 */
import type { Nanos } from "../money.ts";
import type { Burn } from "./lease.ts";
import type { InstanceState, RentalRates } from "./market.ts";

/** One quarter of an hour of one lease, or the part of it that has passed. */
export interface BurnPiece extends Omit<Burn, "idleNanos"> {
  /** Epoch milliseconds. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Tokens of answers that ended in it. */
  readonly completionTokens: number;
}

export const noBurn: Omit<BurnPiece, "fromMs" | "untilMs"> = Object.freeze({
  gpuNanos: 0,
  storageNanos: 0,
  trafficNanos: 0,
  usedNanos: 0,
  runningMs: 0,
  stoppedMs: 0,
  unknownMs: 0,
  completionTokens: 0,
});

/** What is paid for at the moment. */
export type Billing = "nothing" | "storage" | "stopped-storage" | "running" | "unknown";

/** It does not run, and its disk is all that is billed: of one that has exited no market bills the GPU. */
export function isDown(state: InstanceState): boolean {
  return state === "stopped" || state === "exited";
}

/** By what the market says. Its words are as old as its list: what nobody knows counts as running. */
export function billingOf(state: InstanceState, isKnown: boolean): Billing {
  if (state === "gone") return "nothing";
  if (!isKnown) return isDown(state) ? "stopped-storage" : "unknown";
  switch (state) {
    case "scheduling":
    case "loading":
      return "storage";
    case "stopped":
    case "exited":
      return "stopped-storage";
    case "running":
    case "frozen":
      return "running";
    default:
      return "unknown";
  }
}

const pieceMs = 900_000;
const hourMs = 3_600_000n;

/** The quarter of an hour that a moment is in. */
export function pieceOf(ms: number): number {
  return Math.floor(ms / pieceMs) * pieceMs;
}

export function perHourNanos(rates: RentalRates, billing: Billing): Nanos {
  if (billing === "nothing") return 0;
  if (billing === "storage") return rates.storagePerHourNanos;
  if (billing === "stopped-storage") return rates.stoppedStoragePerHourNanos;
  return runningPerHourNanos(rates);
}

/** GPU and disk while it runs. */
export function runningPerHourNanos({ gpuPerHourNanos, storagePerHourNanos }: RentalRates): Nanos {
  return gpuPerHourNanos + storagePerHourNanos;
}

/** What it costs at that bid; null: it is no bid, and costs what is asked. */
export function atBid(rates: RentalRates, bidPerHourNanos: Nanos | null): RentalRates {
  return bidPerHourNanos === null ? rates : { ...rates, gpuPerHourNanos: bidPerHourNanos };
}

/** What a request did there. */
export interface WorkDone {
  readonly completionTokens: number;
  /** From this box to the machine, and back. */
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
}

export const nothingDone: WorkDone = Object.freeze({ completionTokens: 0, uploadedBytes: 0, downloadedBytes: 0 });

type Part = "gpuNanos" | "storageNanos";

export class BurnMeter {
  #rates: RentalRates;
  #billing: Billing;
  #inFlight = 0;
  #atMs: number;
  #piece: BurnPiece;
  #closed: BurnPiece[] = [];
  /** Nano-USD times milliseconds of an hour that are not a whole nano-USD yet. */
  readonly #carried: Record<Part, bigint> = { gpuNanos: 0n, storageNanos: 0n };

  /** `piece`: what the last run had written of the quarter of an hour it stopped in; null: nothing was written yet. */
  constructor(rates: RentalRates, billing: Billing, piece: BurnPiece | null, nowMs: number) {
    this.#rates = rates;
    this.#billing = billing;
    this.#atMs = piece?.untilMs ?? nowMs;
    this.#piece = piece ?? { ...noBurn, fromMs: nowMs, untilMs: nowMs };
  }

  get billing(): Billing {
    return this.#billing;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** From now on. */
  bills(billing: Billing, rates: RentalRates, nowMs: number): void {
    this.advance(nowMs);
    this.#billing = billing;
    this.#rates = rates;
  }

  began(nowMs: number): void {
    this.advance(nowMs);
    this.#inFlight += 1;
  }

  ended({ completionTokens, uploadedBytes, downloadedBytes }: WorkDone, nowMs: number): void {
    this.advance(nowMs);
    this.#inFlight = Math.max(0, this.#inFlight - 1);
    const { uploadPerGbNanos, downloadPerGbNanos } = this.#rates;
    // What we send is what the machine downloads.
    const nanos = uploadedBytes * downloadPerGbNanos + downloadedBytes * uploadPerGbNanos;
    this.#piece = {
      ...this.#piece,
      completionTokens: this.#piece.completionTokens + completionTokens,
      trafficNanos: this.#piece.trafficNanos + Math.round(nanos / 1e9),
    };
  }

  /** Counts up to now. A time before the last one counts nothing. */
  advance(nowMs: number): void {
    while (this.#atMs < nowMs) {
      if (this.#atMs % pieceMs === 0 && this.#piece.untilMs > this.#piece.fromMs) this.#roll(this.#atMs);
      const end = Math.min(nowMs, pieceOf(this.#atMs) + pieceMs);
      this.#count(end - this.#atMs);
      this.#atMs = end;
      this.#piece = { ...this.#piece, untilMs: end };
    }
  }

  /** The pieces that are over since this was last asked, and the one that runs. */
  take(): readonly BurnPiece[] {
    const all = [...this.#closed, this.#piece];
    this.#closed = [];
    return all;
  }

  #roll(atMs: number): void {
    this.#closed.push(this.#piece);
    this.#piece = { ...noBurn, fromMs: atMs, untilMs: atMs };
  }

  #count(ms: number): void {
    const billing = this.#billing;
    if (billing === "nothing") return;
    const rates = this.#rates;
    const isRunning = billing === "running" || billing === "unknown";
    const gpu = isRunning ? rates.gpuPerHourNanos : 0;
    const storage = billing === "stopped-storage" ? rates.stoppedStoragePerHourNanos : rates.storagePerHourNanos;
    const gpuNanos = this.#grown("gpuNanos", gpu, ms);
    const storageNanos = this.#grown("storageNanos", storage, ms);
    const isUsed = this.#inFlight > 0 && isRunning;
    const piece = this.#piece;
    this.#piece = {
      ...piece,
      gpuNanos: piece.gpuNanos + gpuNanos,
      storageNanos: piece.storageNanos + storageNanos,
      // What is used is never more than what was paid, whatever is carried.
      usedNanos: piece.usedNanos + (isUsed ? gpuNanos + storageNanos : 0),
      runningMs: piece.runningMs + (isRunning ? ms : 0),
      stoppedMs: piece.stoppedMs + (isRunning ? 0 : ms),
      unknownMs: piece.unknownMs + (billing === "unknown" ? ms : 0),
    };
  }

  #grown(part: Part, perHour: Nanos, ms: number): Nanos {
    const total = BigInt(perHour) * BigInt(ms) + this.#carried[part];
    this.#carried[part] = total % hourMs;
    return Number(total / hourMs);
  }
}

export function addedBurn(
  pieces: Iterable<Omit<BurnPiece, "fromMs" | "untilMs">>,
): Burn & { completionTokens: number } {
  const sum = { ...noBurn };
  const fields = Object.keys(noBurn) as (keyof typeof noBurn)[];
  const writable = sum as Record<keyof typeof noBurn, number>;
  for (const piece of pieces) for (const field of fields) writable[field] += piece[field];
  return { ...sum, idleNanos: paidNanos(sum) - sum.usedNanos };
}

export function paidNanos(burn: Pick<Burn, "gpuNanos" | "storageNanos" | "trafficNanos">): Nanos {
  return burn.gpuNanos + burn.storageNanos + burn.trafficNanos;
}
