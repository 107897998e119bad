/** Reads `--from` and `--to`. Pure: except in days of bills the zone is the process' own, as it is everywhere in the command line. */
import { InvalidArgumentError } from "commander";
import { type Day, isDay } from "../domain/day.ts";
import { usageFailure } from "./errors.ts";

export interface TimeRange {
  /** Epoch milliseconds. */
  readonly fromMs?: number;
  /** Exclusive. */
  readonly toMs?: number;
}

const day = /^(\d{4})-(\d{2})-(\d{2})$/u;
const instant = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?$/u;

/** A day in UTC, as bills have them. Throws what commander shows. */
export function readDay(text: string): Day {
  if (!isDay(text)) throw new InvalidArgumentError("A day, such as 2026-11-20.");
  return text;
}

/** A day means its midnight, and as an end the whole of it; a time without a zone is this machine's. Throws exit 2. */
export function readTimeRange(from: string | undefined, to: string | undefined): TimeRange {
  const fromMs = from === undefined ? undefined : momentOf("--from", from, 0);
  const toMs = to === undefined ? undefined : momentOf("--to", to, 1);
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) {
    throw usageFailure("--from must lie before --to", "", ["lanthorn usage summary --from 2026-11-01 --to 2026-11-30"]);
  }
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) };
}

/** Epoch milliseconds of a day (and so many days after it) or a time. Throws exit 2, naming the option. */
export function momentOf(option: string, text: string, daysAfter: number): number {
  const parts = day.exec(text);
  if (parts !== null) {
    const [year, month, date] = parts.slice(1).map(Number);
    const start = new Date(year ?? 0, (month ?? 1) - 1, date ?? 1);
    // 31 November would silently be 1 December.
    if (start.getMonth() === (month ?? 1) - 1 && start.getDate() === date) {
      return new Date(year ?? 0, (month ?? 1) - 1, (date ?? 1) + daysAfter).getTime();
    }
  }
  const at = instant.test(text) ? Date.parse(text.replace(" ", "T")) : Number.NaN;
  if (Number.isNaN(at)) {
    throw usageFailure(`${option} is no time: "${text}"`, "A day, 2026-11-01, or a time, 2026-11-01T14:00.", [
      `lanthorn usage summary ${option} 2026-11-01`,
    ]);
  }
  return at;
}

/** The zone that days are counted in, for printing beside them. */
export function zoneName(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
