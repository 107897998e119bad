/**
 * What a stand-in market bills: every millisecond and every byte, exactly, GPU, storage and traffic apart, by day (UTC). Knows nothing of
 * this product's arithmetic.
 */

export type Part = "gpu" | "storage" | "traffic";

/** Whole nano-USD, half up. */
export interface DayBill {
  readonly day: string;
  readonly gpuNanos: number;
  readonly storageNanos: number;
  readonly trafficNanos: number;
}

const picosPerUsd = 1_000_000_000_000n;
const dayMs = 86_400_000;
const bytesPerGb = 1_000_000_000n;

/** Dollars as text with twelve decimals at most → pico-USD. */
export function picosOf(usd: string): bigint {
  const [whole = "0", fraction = ""] = usd.split(".");
  return BigInt(whole) * picosPerUsd + BigInt(fraction.padEnd(12, "0").slice(0, 12));
}

export class Meter {
  readonly #hoursOfMonth: bigint;
  /** Its own unit is so small that prices for an hour, for a GB and month and for a GB are whole numbers of it: nothing is ever rounded. */
  readonly #unitsPerPico: bigint;
  readonly #spent = new Map<string, Map<string, Record<Part, bigint>>>();

  /** `hoursOfMonth`: of a month of storage. */
  constructor(hoursOfMonth: bigint) {
    this.#hoursOfMonth = hoursOfMonth;
    this.#unitsPerPico = 3_600_000n * hoursOfMonth * bytesPerGb;
  }

  /** A price for an hour, from one moment until another. */
  hourly(id: string, part: Part, usdPerHour: string, fromMs: number, untilMs: number): void {
    this.#overDays(id, part, fromMs, untilMs, picosOf(usdPerHour) * this.#hoursOfMonth * bytesPerGb);
  }

  /** A price for a GB and month. */
  storage(id: string, usdPerGbMonth: string, gb: number, fromMs: number, untilMs: number, times = 1n): void {
    this.#overDays(id, "storage", fromMs, untilMs, picosOf(usdPerGbMonth) * BigInt(gb) * times * bytesPerGb);
  }

  traffic(id: string, usdPerGb: string, bytes: number, atMs: number): void {
    this.#add(id, "traffic", atMs, (picosOf(usdPerGb) * BigInt(bytes) * this.#unitsPerPico) / bytesPerGb);
  }

  bill(id: string): readonly DayBill[] {
    const unitsPerNano = 1_000n * this.#unitsPerPico;
    const nanos = (units: bigint) => Number((units * 2n + unitsPerNano) / (unitsPerNano * 2n));
    return [...(this.#spent.get(id) ?? [])].map(([day, { gpu, storage, traffic }]) => ({
      ...{ day, gpuNanos: nanos(gpu), storageNanos: nanos(storage), trafficNanos: nanos(traffic) },
    }));
  }

  /** `unitsPerMs`: what one millisecond costs. */
  #overDays(id: string, part: Part, fromMs: number, untilMs: number, unitsPerMs: bigint): void {
    for (let atMs = fromMs; atMs < untilMs; ) {
      const endMs = Math.min(untilMs, (Math.floor(atMs / dayMs) + 1) * dayMs);
      this.#add(id, part, atMs, unitsPerMs * BigInt(endMs - atMs));
      atMs = endMs;
    }
  }

  #add(id: string, part: Part, atMs: number, units: bigint): void {
    const day = new Date(atMs).toISOString().slice(0, 10);
    const days = this.#spent.get(id) ?? new Map<string, Record<Part, bigint>>();
    this.#spent.set(id, days);
    const sums = days.get(day) ?? { gpu: 0n, storage: 0n, traffic: 0n };
    days.set(day, sums);
    sums[part] += units;
  }
}
