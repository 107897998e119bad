/**
 * `npm run bench:ledger`: a ledger of a year, and every question to it while rows are written. docs/benchmarks.md explains the method.
 *
 *   node test/bench/ledger/main.ts [--rows 1000000,10000000] [--seed 1] [--runs 60] [--only row,server,questions,export,backup,retention]
 *                                  [--json] [--anyway]
 *
 * Ends with 0 when everything was measured (a missed target is a figure, not an error), 1 when something could not be, 2 for a
 * wrong option, 78 when the machine is too loaded to measure on. Files stay in `.cache/` for the next run.
 */
import { parseArgs } from "node:util";
import { reasonToRefuse } from "../machine.ts";
import type { BenchRow } from "../measure.ts";
import { table } from "../report.ts";
import { ledgerRows } from "./bench.ts";

const parts = ["row", "server", "questions", "export", "backup", "retention"];
const mostRows = 100_000_000;
const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

process.exitCode = await main();

interface Options {
  readonly rows: readonly number[];
  readonly seed: number;
  readonly runs: number;
  readonly json: boolean;
  readonly anyway: boolean;
  wants(part: string): boolean;
}

/** The options, or the sentence that says what is wrong with them. */
function readOptions(): Options | string {
  try {
    const { values } = parseArgs({
      options: {
        rows: { type: "string", default: "1000000" },
        seed: { type: "string", default: "1" },
        runs: { type: "string", default: "60" },
        only: { type: "string" },
        json: { type: "boolean", default: false },
        anyway: { type: "boolean", default: false },
      },
    });
    const whole = (text: string, most: number) =>
      /^\d{1,9}$/.test(text) && +text >= 1 && +text <= most ? +text : null;
    const rows = values.rows.split(",").map((text) => whole(text, mostRows));
    const only = values.only?.split(",") ?? parts;
    const unknown = only.find((part) => !parts.includes(part));
    const [seed, runs] = [whole(values.seed, 1_000_000), whole(values.runs, 10_000)];
    if (unknown !== undefined) return `--only knows ${parts.join(", ")}; not ${unknown}.`;
    if (rows.includes(null)) return `--rows wants whole numbers up to ${mostRows}, with commas between them.`;
    if (seed === null || runs === null) return "--seed and --runs want whole numbers from 1 on.";
    const { json, anyway } = values;
    return { rows: rows.map(Number), seed, runs, json, anyway, wants: (part) => only.includes(part) };
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === "string") {
    say(options);
    return 2;
  }
  const reason = options.anyway ? null : await reasonToRefuse("with-load");
  if (reason !== null) {
    say(`This machine is too loaded to measure on: ${reason}. Wait, or add --anyway.`);
    return 78;
  }
  try {
    const found: BenchRow[] = [];
    for (const rows of options.rows) found.push(...(await ledgerRows(rows, { ...options, say })));
    process.stdout.write(`${options.json ? JSON.stringify(found, null, 2) : table(found)}\n`);
    return 0;
  } catch (thrown) {
    say(`The ledger could not be measured: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return 1;
  }
}
