/**
 * Figures out of an upstream's usage object, whatever it put there: a count is a whole number of sensible size or it is none, and
 * what is neither absent nor a count is flagged. Never throws. Pure; shared by the readers beside it; imports the domain only.
 */
import type { UsageFlag } from "../../domain/upstream-usage.ts";

/** More tokens than any context holds: a slip, or a joke. */
export const mostTokens = 2 ** 40;
/** Deeper than any usage object goes. */
const mostDepth = 6;

export type WireObject = Readonly<Record<string, unknown>>;

export function isWireObject(value: unknown): value is WireObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value under a path of own keys; undefined where there is none. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here: unknown = value;
  for (const key of path) {
    if (!isWireObject(here) || !Object.hasOwn(here, key)) return undefined;
    here = here[key];
  }
  return here;
}

/** Reads the counts of one usage object and remembers what was odd about them. */
export interface Figures {
  /** Null: not there, or null. What is there and no count is 0, flagged. */
  count(...path: readonly string[]): number | null;
  /** Takes note of something odd that was found elsewhere. */
  odd(flag: UsageFlag): void;
  /** Each once, in the order they were met. */
  readonly flags: readonly UsageFlag[];
}

export function figuresOf(usage: unknown): Figures {
  const flags: UsageFlag[] = [];
  const odd = (flag: UsageFlag): void => {
    if (!flags.includes(flag)) flags.push(flag);
  };
  return {
    flags,
    odd,
    count(...path) {
      const value = at(usage, ...path);
      if (value === undefined || value === null) return null;
      if (isCount(value)) return value;
      odd("absurd_figure");
      return 0;
    },
  };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= mostTokens;
}

/** A number that may stand for something: not below 0 and not endless. */
function isUsable(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/**
 * What is known after one more usage object of the same answer: figures are cumulative, so the later one replaces the earlier
 * one, but a 0, a null or nonsense never replaces a figure. Some upstreams begin with zeros, and others end with them.
 */
export function folded(earlier: unknown, later: unknown, depth = 0): unknown {
  if (later === undefined || later === null) return earlier;
  if (typeof earlier === "number" && isUsable(earlier)) {
    return isUsable(later) && !(later === 0 && earlier > 0) ? later : earlier;
  }
  if (!isWireObject(earlier) || depth > mostDepth) return later;
  if (!isWireObject(later)) return earlier;
  const all = new Map<string, unknown>(Object.entries(earlier));
  for (const [key, value] of Object.entries(later)) all.set(key, folded(all.get(key), value, depth + 1));
  return Object.fromEntries(all);
}
