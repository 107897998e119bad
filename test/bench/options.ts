/** The options that every bench takes. */
import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Null: each scenario's own. */
  readonly runs: number | null;
  readonly json: boolean;
  readonly anyway: boolean;
  readonly calibrate: boolean;
  /** Whether any of these names was chosen; without `--only` all are. */
  wants(names: readonly string[]): boolean;
}

/** The options, or the sentence that says what is wrong with them. `known`: what `--only` may name. */
export function readBenchOptions(
  known: readonly string[],
  more: { readonly calibrate: boolean },
): BenchOptions | string {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string" },
        runs: { type: "string" },
        json: { type: "boolean", default: false },
        anyway: { type: "boolean", default: false },
        ...(more.calibrate ? { calibrate: { type: "boolean", default: false } as const } : {}),
      },
    });
    const only = values.only?.split(",") ?? null;
    const unknown = only?.find((name) => !known.includes(name));
    if (unknown !== undefined) return `--only knows ${known.join(", ")}; not ${unknown}.`;
    const runs = values.runs === undefined ? null : Number(values.runs);
    if (runs !== null && !(Number.isInteger(runs) && runs >= 1 && runs <= 100)) return "--runs wants 1 to 100.";
    const { json, anyway } = values;
    const calibrate = values.calibrate === true;
    const wants = (names: readonly string[]) => only === null || names.some((name) => only.includes(name));
    return { runs, json, anyway, calibrate, wants };
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
