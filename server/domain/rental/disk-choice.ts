/**
 * Where a machine's weights are while it is asleep, priced: fetched anew at each wake, on the instance's own disk, which costs while it is
 * stopped, or on a disk of the market's that outlives instances. Pure.
 */
import type { Nanos } from "../money.ts";
import { roughly } from "./power.ts";
import { roughUsd } from "./usd-text.ts";

export interface DiskFacts {
  readonly weightsBytes: number;
  /** What hosts of that market get from the network. */
  readonly downloadBytesPerSecond: number;
  readonly wakesPerMonth: number;
  /** Hours of a month in which it is on. */
  readonly hoursPerMonth: number;
  readonly gpuPerHourNanos: Nanos;
  /** For 10^9 bytes. */
  readonly downloadPerGbNanos: Nanos;
  /** The instance's disk, while it is stopped; null: this market stops none, it destroys them. */
  readonly stoppedPerHourNanos: Nanos | null;
  /** A disk that outlives instances, for 10^9 bytes and a month; null: there is none, or nobody said what it costs. */
  readonly volumePerGbMonthNanos: Nanos | null;
  readonly volumeBytes: number;
}

export const diskWays = Object.freeze(["download", "stopped-disk", "volume"] as const);
export type DiskWay = (typeof diskWays)[number];

export interface DiskWayCost {
  readonly way: DiskWay;
  readonly perMonthNanos: Nanos;
  /** How much longer each wake takes. */
  readonly perWakeMs: number;
}

export interface DiskChoice {
  /** Cheapest first. */
  readonly ways: readonly DiskWayCost[];
  readonly words: string;
}

/** Of a month of storage: 365 / 12 days. */
export const monthHours = 730;

/** What is assumed where nobody has said it: two wakes a day, four hours on, 60 MB a second from the network. */
export const usualUse = Object.freeze({ wakesPerMonth: 60, hoursPerMonth: 120, downloadBytesPerSecond: 60e6 });

export function priceDisks(facts: DiskFacts): DiskChoice {
  const { weightsBytes, wakesPerMonth } = facts;
  const perWakeMs = Math.ceil((weightsBytes / facts.downloadBytesPerSecond) * 1000);
  // The GPU is paid for while it waits for its weights.
  const fetchNanos = Math.ceil(
    (perWakeMs / 3_600_000) * facts.gpuPerHourNanos + (weightsBytes / 1e9) * facts.downloadPerGbNanos,
  );
  const ways: DiskWayCost[] = [{ way: "download", perMonthNanos: fetchNanos * wakesPerMonth, perWakeMs }];
  if (facts.stoppedPerHourNanos !== null) {
    const asleepHours = Math.max(0, monthHours - facts.hoursPerMonth);
    const perMonthNanos = Math.ceil(facts.stoppedPerHourNanos * asleepHours);
    ways.push({ way: "stopped-disk", perMonthNanos, perWakeMs: 0 });
  }
  if (facts.volumePerGbMonthNanos !== null) {
    const perMonthNanos = Math.ceil((facts.volumeBytes / 1e9) * facts.volumePerGbMonthNanos);
    ways.push({ way: "volume", perMonthNanos, perWakeMs: 0 });
  }
  const sorted = ways.sort((one, other) => one.perMonthNanos - other.perMonthNanos || one.perWakeMs - other.perWakeMs);
  return { ways: sorted, words: sorted.map(words).join("; ") };
}

const wayWords: Readonly<Record<DiskWay, string>> = Object.freeze({
  download: "weights fetched at each wake",
  "stopped-disk": "kept on the stopped instance's disk",
  volume: "kept on a disk that outlives it",
});

function words({ way, perMonthNanos, perWakeMs }: DiskWayCost): string {
  const slower = perWakeMs === 0 ? "" : `, each wake ${roughly(perWakeMs)} longer`;
  return `${wayWords[way]}: ${roughUsd(perMonthNanos)} a month${slower}`;
}
