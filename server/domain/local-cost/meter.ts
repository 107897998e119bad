/**
 * The box's own electricity meter: what was drawn, what that cost, and whose it was. Pure state; the time is handed in.
 *
 * Time is cut where an answer begins or ends to be computed, where a model begins or ends to be loaded and where power is
 * looked at. Within such a slice the same answers are computed all the time, so sharing it equally is sharing by step time.
 * Whole nano-USD are shared and fractions are carried on, so at every instant, exactly:
 *
 *   used by requests + loading models + idle = energy + base + wear + rent
 *
 * The base load is nobody's: it is idle, whoever asks.
 */
import type { Cost, Nanos } from "../money.ts";
import type { LocalRates } from "./rates.ts";
import { shared } from "./share.ts";

/** Where the figure of the power comes from: `none`, nobody measures and nobody stated it. */
export type PowerSource = "measured" | "stated" | "none";

/** A span of time at one source; all figures only grow while it lasts. */
export interface PowerInterval {
  readonly source: PowerSource;
  /** Metered, with a power that is known or needed by no price. */
  readonly milliseconds: number;
  /** In which the power was not known although the cost depends on it. */
  readonly unknownMs: number;
  /** Beyond the base. */
  readonly milliwattMs: number;
  readonly baseMilliwattMs: number;
  readonly energyNanos: Nanos;
  readonly baseNanos: Nanos;
  readonly wearNanos: Nanos;
  readonly rentNanos: Nanos;
  /** Shared over the requests that were computed in it. */
  readonly usedNanos: Nanos;
  /** While models were loaded and nothing was computed. */
  readonly loadNanos: Nanos;
  /** Of what was used, in this or an earlier interval: shares of attempts that ended in it with a cost that is not known. */
  readonly unbookedNanos: Nanos;
}

/** All that was metered. */
export function meteredNanos(interval: Pick<PowerInterval, "energyNanos" | "baseNanos" | "wearNanos" | "rentNanos">) {
  return interval.energyNanos + interval.baseNanos + interval.wearNanos + interval.rentNanos;
}

/** What no request used and no model was loaded with. */
export function idleNanos(interval: Omit<PowerInterval, "source">): Nanos {
  return meteredNanos(interval) - interval.usedNanos - interval.loadNanos;
}

/** One attempt at the engine. */
export interface MeteredWork {
  readonly requestId: string;
  readonly target: string;
  /** Its share so far. */
  readonly nanos: Nanos;
}

interface Work {
  readonly requestId: string;
  readonly target: string;
  nanos: Nanos;
  state: "waiting" | "computing" | "over";
  source: PowerSource | null;
  isUnknown: boolean;
}

/** One kilowatt-hour in milliwatt-milliseconds. */
const milliwattMsPerKwh = 3_600_000_000_000n;
const msPerHour = 3_600_000n;
/** A figure of the same activity is better than a newer one of another, until it is so old. */
const staleFigureMs = 600_000;
/** A slice longer than this was no slice: the machine slept. */
const longestSliceMs = 300_000;

type Part = "energy" | "base" | "wear" | "rent";
type Growing = { -readonly [Field in keyof PowerInterval]: PowerInterval[Field] };

export class PowerMeter {
  readonly #rates: LocalRates;
  #atMs: number;
  readonly #work = new Map<string, Work>();
  readonly #computing = new Set<Work>();
  #loading = false;
  #figures: Partial<Record<"busy" | "idle", { readonly milliwatts: number; readonly atMs: number }>> = {};
  /** Fractions of a nano-USD that are not yet whole. */
  readonly #carry: Record<Part, bigint> = { energy: 0n, base: 0n, wear: 0n, rent: 0n };
  #turn = 0;
  #interval: Growing = emptyInterval();
  #closed: PowerInterval[] = [];

  /** `atMs` here and below: monotonic milliseconds. */
  constructor(rates: LocalRates, atMs: number) {
    this.#rates = rates;
    this.#atMs = Math.floor(atMs);
  }

  /** A look at the hardware; null: no card says what it draws. */
  saw(milliwatts: number | null, atMs: number): void {
    this.advance(atMs);
    if (milliwatts === null) this.#figures = {};
    else this.#figures = { ...this.#figures, [this.#activity()]: { milliwatts: Math.round(milliwatts), atMs } };
  }

  loading(isLoading: boolean, atMs: number): void {
    if (isLoading === this.#loading) return;
    this.advance(atMs);
    this.#loading = isLoading;
  }

  /** An attempt that may be computed. One request has one at a target at a time. */
  opened(requestId: string, target: string): void {
    const key = keyOf(requestId, target);
    const before = this.#work.get(key);
    if (before?.state === "over") before.state = "waiting";
    if (before !== undefined) return;
    this.#work.set(key, { requestId, target, nanos: 0, state: "waiting", source: null, isUnknown: false });
  }

  /** Its prompt or its answer is computed from now on. */
  began(requestId: string, target: string, atMs: number): void {
    const work = this.#work.get(keyOf(requestId, target));
    if (work?.state !== "waiting") return;
    this.advance(atMs);
    work.state = "computing";
    this.#computing.add(work);
  }

  ended(requestId: string, target: string, atMs: number): void {
    const work = this.#work.get(keyOf(requestId, target));
    if (work !== undefined) this.#end(work, atMs);
  }

  /**
   * What it costs, once: its share of what was drawn. Unknown where the power was not known while it was computed. Null: no
   * such attempt, or one that was asked for already.
   */
  take(requestId: string, target: string, atMs: number): Cost | null {
    const key = keyOf(requestId, target);
    const work = this.#work.get(key);
    if (work === undefined) return null;
    this.#end(work, atMs);
    this.#work.delete(key);
    if (!work.isUnknown) return { known: true, nanos: work.nanos, basis: basisOf(work) };
    this.#interval.unbookedNanos += work.nanos;
    return { known: false, reason: "not_priced" };
  }

  /** Nobody will ask for its cost any more. */
  forget(requestId: string, target: string, atMs: number): void {
    const work = this.#work.get(keyOf(requestId, target));
    if (work === undefined) return;
    work.isUnknown = true;
    this.take(requestId, target, atMs);
  }

  /** Accounts for the time up to now. */
  advance(atMs: number): void {
    const now = Math.floor(atMs);
    const passed = now - this.#atMs;
    if (passed <= 0) return;
    this.#atMs = now;
    if (passed > longestSliceMs) {
      // Nobody looked for so long: what was drawn meanwhile, asleep most likely, is not known to anybody.
      this.#interval.unknownMs += passed;
      for (const work of this.#computing) work.isUnknown = true;
      return;
    }
    this.#slice(passed);
  }

  /** The interval that runs. */
  interval(): PowerInterval {
    return { ...this.#interval };
  }

  /** Ends it, and begins the next one. */
  roll(): void {
    if (isEmpty(this.#interval)) return;
    this.#closed.push({ ...this.#interval });
    this.#interval = { ...emptyInterval(), source: this.#interval.source };
  }

  /** Those that ended since the last call, oldest first. */
  takeClosed(): readonly PowerInterval[] {
    const closed = this.#closed;
    this.#closed = [];
    return closed;
  }

  /** Shares of what was opened and not yet taken. */
  open(): readonly MeteredWork[] {
    return [...this.#work.values()].map(({ requestId, target, nanos }) => ({ requestId, target, nanos }));
  }

  #end(work: Work, atMs: number): void {
    if (work.state === "over") return;
    this.advance(atMs);
    work.state = "over";
    this.#computing.delete(work);
  }

  #activity(): "busy" | "idle" {
    return this.#computing.size > 0 || this.#loading ? "busy" : "idle";
  }

  /**
   * Cards are looked at every few seconds and answers are short, so a figure stands for the activity it was seen in: the last
   * one seen while something was computed is what computing draws.
   */
  #power(): { readonly source: PowerSource; readonly milliwatts: number } {
    const activity = this.#activity();
    const own = this.#figures[activity];
    const other = this.#figures[activity === "busy" ? "idle" : "busy"];
    const figure =
      own !== undefined && (other === undefined || this.#atMs - own.atMs <= staleFigureMs) ? own : (other ?? own);
    if (figure !== undefined) return { source: "measured", milliwatts: figure.milliwatts };
    const { statedMilliwatts } = this.#rates;
    if (statedMilliwatts === null) return { source: "none", milliwatts: 0 };
    return { source: "stated", milliwatts: activity === "busy" ? statedMilliwatts : 0 };
  }

  #slice(passed: number): void {
    const { source, milliwatts } = this.#power();
    if (source !== this.#interval.source) {
      this.roll();
      this.#interval.source = source;
    }
    const rates = this.#rates;
    const isKnown = rates.perKwhNanos === null || source !== "none";
    const interval = this.#interval;
    if (isKnown) interval.milliseconds += passed;
    else interval.unknownMs += passed;
    interval.milliwattMs += milliwatts * passed;
    interval.baseMilliwattMs += rates.baseMilliwatts * passed;
    const price = rates.perKwhNanos ?? 0;
    const energy = this.#whole("energy", passed, milliwatts, price, milliwattMsPerKwh);
    interval.baseNanos += this.#whole("base", passed, rates.baseMilliwatts, price, milliwattMsPerKwh);
    const wear = this.#whole("wear", passed, 1, rates.wearPerHourNanos, msPerHour);
    const rent = this.#whole("rent", passed, 1, rates.rentPerHourNanos, msPerHour);
    interval.energyNanos += energy;
    interval.wearNanos += wear;
    interval.rentNanos += rent;
    const pool = energy + wear + rent;
    if (this.#computing.size > 0) {
      interval.usedNanos += pool;
      this.#share(pool, source, isKnown);
    } else if (this.#loading) interval.loadNanos += pool;
  }

  #share(pool: Nanos, source: PowerSource, isKnown: boolean): void {
    const works = [...this.#computing];
    const parts = shared(
      pool,
      works.map(() => 1),
      this.#turn % works.length,
    );
    this.#turn += 1;
    for (const [index, work] of works.entries()) {
      work.nanos += parts[index] ?? 0;
      if (!isKnown) work.isUnknown = true;
      if (work.source === null || work.source === "measured") work.source = source;
    }
  }

  /** Whole nano-USD of `passed × amount × price / per`; the fraction is carried to the next slice. */
  #whole(part: Part, passed: number, amount: number, price: Nanos, per: bigint): Nanos {
    const exact = this.#carry[part] + BigInt(passed) * BigInt(amount) * BigInt(price);
    this.#carry[part] = exact % per;
    return Number(exact / per);
  }
}

/** What never was computed used nothing, and nobody had to measure that. */
function basisOf({ source }: Work): "measured" | "estimated" {
  return source === null || source === "measured" ? "measured" : "estimated";
}

function keyOf(requestId: string, target: string): string {
  return `${requestId}\n${target}`;
}

function emptyInterval(): Growing {
  return {
    source: "none",
    ...{ milliseconds: 0, unknownMs: 0, milliwattMs: 0, baseMilliwattMs: 0 },
    ...{ energyNanos: 0, baseNanos: 0, wearNanos: 0, rentNanos: 0, usedNanos: 0, loadNanos: 0, unbookedNanos: 0 },
  };
}

function isEmpty({ milliseconds, unknownMs, unbookedNanos }: PowerInterval): boolean {
  return milliseconds + unknownMs + unbookedNanos === 0;
}
