/**
 * `npm run bench:gateway`: what Lanthorn as a gateway adds to a call, beside Portkey's gateway and the bare upstream, on this machine.
 * docs/benchmarks.md explains the method.
 *
 *   node test/bench/gateway/main.ts [--only one,sixteen,throughput,streams,many] [--runs N] [--json] [--anyway]
 *
 * Ends with 0 when everything was measured (a missed target is a figure, not an error), 1 when something could not be measured, an
 * answer of ours went wrong or a ledger row is missing, 2 for a wrong option, 78 when the machine is too loaded to measure on.
 */
import { parseArgs } from "node:util";
import { removeAllFolders } from "../folders.ts";
import { reasonToRefuse } from "../machine.ts";
import { killAllChildren } from "../processes.ts";
import { table } from "../report.ts";
import { gatewayRows } from "./bench.ts";
import { trials } from "./trials.ts";

const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = readOptions();
  if (typeof asked === "string") {
    say(asked);
    return 2;
  }
  const reason = asked.anyway ? null : await reasonToRefuse("with-load");
  if (reason !== null) {
    say(`This machine is too loaded to measure on: ${reason}. Wait, or add --anyway.`);
    return 78;
  }
  process.once("exit", () => {
    killAllChildren();
    removeAllFolders();
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  try {
    const rows = await gatewayRows({ ...asked, say });
    process.stdout.write(`${asked.json ? JSON.stringify(rows, null, 2) : table(rows)}\n`);
    const ledger = rows.at(-1);
    say(`ledgerRows ${ledger?.ledgerRows} ${ledger?.holds === true ? "==" : "!="} requests ${ledger?.requests}`);
    return ledger?.holds === true ? 0 : 1;
  } catch (thrown) {
    say(`The gateway could not be measured: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return 1;
  }
}

interface Asked {
  readonly runs: number | null;
  readonly json: boolean;
  readonly anyway: boolean;
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
      },
    });
    const known = trials.map(({ id }) => id);
    const only = values.only?.split(",") ?? null;
    const unknown = only?.find((name) => !known.includes(name));
    if (unknown !== undefined) return `--only knows ${known.join(", ")}; not ${unknown}.`;
    const runs = values.runs === undefined ? null : Number(values.runs);
    if (runs !== null && !(Number.isInteger(runs) && runs >= 1 && runs <= 100)) return "--runs wants 1 to 100.";
    const { json, anyway } = values;
    return { runs, json, anyway, wants: (names) => only === null || names.some((name) => only.includes(name)) };
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
