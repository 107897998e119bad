/**
 * `npm run bench`: measures Lanthorn beside its peers on this machine and prints a table, or with `--json` an array of rows.
 * Runs the shipped command as a child, never the server's code in this process. docs/benchmarks.md explains the method.
 *
 *   node test/bench/main.ts [--only step,serve,gateway,start,<scenario>] [--runs N] [--json] [--anyway] [--calibrate]
 *
 * Ends with 0 when everything asked for was measured (a missed target is a figure, not an error), 1 when something could
 * not be measured, 2 for a wrong option, 78 when the machine is too loaded to measure on.
 */
import { readBenchOptions } from "./options.ts";
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
  const asked = readBenchOptions([...groups, ...scenarios.map(({ id }) => id)], { calibrate: true });
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
