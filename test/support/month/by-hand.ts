/**
 * The month counted once more, by other means: from the story and from prices written down here, in whole pico-USD, one kind of
 * request after the other. Uses nothing of the product, so that it can be wrong only in its own way.
 */
import Database from "better-sqlite3";
import { type Story, type Told, watts } from "./story.ts";

export interface ByHand {
  readonly baselineNanos: bigint;
  readonly actualNanos: bigint;
  readonly by: Readonly<Record<string, bigint>>;
  readonly compared: number;
  readonly unknown: number;
}

export interface PowerByHand {
  /** What the card and the base drew, from when it was busy. */
  readonly kilowattHours: number;
  readonly meteredNanos: bigint;
  readonly usedNanos: bigint;
  readonly idleNanos: bigint;
  readonly loadNanos: bigint;
  /** The sum of the costs of attempts on this box. */
  readonly bookedNanos: bigint;
}

const large = (at: number) =>
  at < Date.UTC(2026, 9, 15) ? [2_000_000n, 200_000n, 10_000_000n] : [1_000_000n, 100_000n, 5_000_000n];
const small = [750_000n, 75_000n, 4_500_000n];

/** Tokens at pico-USD each; half up to nano-USD. */
function nanos(
  [prompt = 0n, cached = 0n, completion = 0n]: readonly bigint[],
  told: Told,
  had: number,
  divisor = 1n,
): bigint {
  const fresh = BigInt(told.promptTokens - had) * prompt;
  const picos = fresh + BigInt(had) * cached + BigInt(told.completionTokens) * completion;
  const below = 1_000n * divisor;
  return (2n * picos + below) / (2n * below);
}

/** What the cheap provider billed for a stream that broke off. */
function brokenOff(told: Told): bigint {
  return nanos(small, { ...told, completionTokens: 10 }, 0);
}

/** `localNanos`: what each attempt on this box was booked at, by the request's id. `idleNanos`: loads included. */
export function countByHand(story: Story, localNanos: ReadonlyMap<string, bigint>, idleNanos: bigint): ByHand {
  const by: Record<string, bigint> = { idle: -idleNanos };
  let [baselineNanos, actualNanos, compared, unknown] = [0n, idleNanos, 0, 0];
  const add = (cause: string, amount: bigint) => {
    by[cause] = (by[cause] ?? 0n) + amount;
  };
  for (const told of story.requests) {
    const base = nanos(large(told.startedAtMs), told, 0);
    const here = localNanos.get(told.id) ?? 0n;
    if (told.kind === "unpriced") {
      unknown += 1;
      continue;
    }
    compared += 1;
    if (told.kind !== "failed") baselineNanos += base;
    if (told.kind === "local" || told.kind === "left") {
      add("local", base - here);
      actualNanos += here;
    } else if (told.kind === "kept") {
      add("answerCache", base);
    } else if (told.kind === "failed") {
      add("extra", -brokenOff(told));
      actualNanos += brokenOff(told);
    } else {
      const isLarge = told.kind === "dear" || told.kind === "draft";
      const rates = isLarge ? large(told.startedAtMs) : small;
      const list = nanos(rates, told, 0);
      const cached = nanos(rates, told, told.cachedTokens);
      const paid = told.kind === "batch" ? nanos(rates, told, told.cachedTokens, 2n) : cached;
      const beside = told.kind === "draft" ? here : told.kind === "retried" ? brokenOff(told) : 0n;
      add("routing", base - list);
      add("promptCache", list - cached);
      add("tier", cached - paid);
      add("extra", -beside);
      actualNanos += paid + beside;
    }
  }
  return { baselineNanos, actualNanos, by, compared, unknown };
}

/** What the file says of the power, in plain SQL of its own; and how long the story says that the card was busy. */
export function powerByHand(story: Story, path: string): PowerByHand & { readonly localNanos: Map<string, bigint> } {
  const database = new Database(path, { readonly: true });
  try {
    const sum = (text: string) => {
      const row = database.prepare(text).safeIntegers().get() as { n: bigint | null };
      return row.n ?? 0n;
    };
    const rows = database
      .prepare(
        "SELECT r.id, a.cost_nanos AS n FROM attempts a JOIN requests r ON r.number = a.request WHERE a.target = 'engine/m'",
      )
      .safeIntegers()
      .all() as readonly { id: string; n: bigint }[];
    return {
      kilowattHours:
        (busyMs(story) * (watts.busy - watts.idle) + (story.toMs - story.fromMs) * (watts.idle + 58)) / 3.6e9,
      meteredNanos: sum(
        "SELECT sum(energy_nanos) + sum(base_nanos) + sum(wear_nanos) + sum(rent_nanos) AS n FROM power",
      ),
      usedNanos: sum("SELECT sum(used_nanos) AS n FROM power"),
      loadNanos: sum("SELECT sum(load_nanos) AS n FROM power"),
      idleNanos: sum(
        "SELECT sum(energy_nanos + base_nanos + wear_nanos + rent_nanos - used_nanos - load_nanos) AS n FROM power",
      ),
      bookedNanos: rows.reduce((total, { n }) => total + n, 0n),
      localNanos: new Map(rows.map(({ id, n }) => [id, n])),
    };
  } finally {
    database.close();
  }
}

/** How long something was computed or loaded, whatever ran beside it. */
function busyMs({ requests, loads }: Story): number {
  const spans = [
    ...loads,
    ...requests
      .filter(({ stepMs }) => stepMs > 0)
      .map(({ startedAtMs, queueMs, stepMs }) => [startedAtMs + queueMs, startedAtMs + queueMs + stepMs] as const),
  ].sort((left, right) => left[0] - right[0]);
  let [total, until] = [0, 0];
  for (const [from, to] of spans) {
    total += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return total;
}
