/**
 * `npm run bench`: measures Lanthorn beside its peers on this machine and prints a table, or with `--json` an array of rows.
 * Runs the shipped command as a child, never the server's code in this process. docs/benchmarks.md explains the method.
 *
 *   node test/bench/main.ts [--only step,serve,gateway,start,<scenario>] [--runs N] [--json] [--anyway] [--calibrate]
 *
 * Ends with 0 when everything asked for was measured (a missed target is a figure, not an error), 1 when something could
 * not be measured, 2 for a wrong option, 78 when the machine is too loaded to measure on.
 */
import { parseArgs } from "node:util";
import { removeAllFolders } from "./folders.ts";
import { gatewayRows } from "./gateway/bench.ts";
import { llamaServerProgram } from "./llama-server.ts";
import { reasonToRefuse } from "./machine.ts";
import type { BenchRow } from "./measure.ts";
import { killAllChildren, stopAllChildren } from "./processes.ts";
import { table } from "./report.ts";
import { type RunOptions, runScenario } from "./runner.ts";
import { scenarios } from "./scenarios/all.ts";
import { startRows } from "./start.ts";

const groups = ["step", "serve", "gateway", "start"] as const;
const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = readOptions();
  if (typeof asked === "string") {
    say(asked);
    return 2;
  }
  const peer = llamaServerProgram();
  if ("missing" in peer) say(peer.missing);
  const options: RunOptions = { ...asked, peerProgram: "path" in peer ? peer.path : null, say };
  if (!options.anyway) {
    const reason = await reasonToRefuse("with-load");
    if (reason !== null) {
      say(`This machine is too loaded to measure on: ${reason}. Wait, or add --anyway.`);
      return 78;
    }
  }
  process.once("exit", () => {
    killAllChildren();
    removeAllFolders();
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

  const rows: BenchRow[] = [];
  let failed = false;
  const attempt = async (name: string, measure: () => Promise<BenchRow[]>): Promise<void> => {
    try {
      rows.push(...(await measure()));
    } catch (thrown) {
      failed = true;
      say(`${name} could not be measured: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    } finally {
      await stopAllChildren();
    }
  };
  for (const scenario of scenarios) {
    if (!asked.wants([...scenario.groups, scenario.id])) continue;
    await attempt(scenario.id, () => runScenario(scenario, options));
  }
  if (asked.wants(["gateway"])) await attempt("gateway", () => gatewayRows({ ...options, wants: asked.wants }));
  if (asked.wants(["start"])) await attempt("start", () => startRows(options));
  process.stdout.write(`${asked.json ? JSON.stringify(rows, null, 2) : table(rows)}\n`);
  return failed ? 1 : 0;
}

interface Asked extends Pick<RunOptions, "runs" | "anyway" | "calibrate"> {
  readonly json: boolean;
  /** Whether any of these names was chosen; without `--only` all are. */
  wants(names: readonly string[]): boolean;
}

/** The options, or the sentence that says what is wrong with them. */
function readOptions(): Asked | string {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string" },
        runs: { type: "string" },
        json: { type: "boolean", default: false },
        anyway: { type: "boolean", default: false },
        calibrate: { type: "boolean", default: false },
      },
    });
    const known = [...groups, ...scenarios.map((scenario) => scenario.id)];
    const only = values.only?.split(",") ?? null;
    const unknown = only?.find((name) => !known.includes(name));
    if (unknown !== undefined) return `--only knows ${known.join(", ")}; not ${unknown}.`;
    const runs = values.runs === undefined ? null : Number(values.runs);
    if (runs !== null && !(Number.isInteger(runs) && runs >= 1 && runs <= 100)) return "--runs wants 1 to 100.";
    return {
      runs,
      json: values.json,
      anyway: values.anyway,
      calibrate: values.calibrate,
      wants: (names) => only === null || names.some((name) => only.includes(name)),
    };
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
