/**
 * `npm run bench:gateway`: what Lanthorn as a gateway adds to a call, beside Portkey's gateway and the bare upstream, on this machine.
 * docs/benchmarks.md explains the method.
 *
 *   node test/bench/gateway/main.ts [--only one,sixteen,fifty,throughput,streams,many] [--runs N] [--json] [--anyway]
 *
 * Ends with 0 when everything was measured (a missed target is a figure, not an error), 1 when something could not be measured, an
 * answer of ours went wrong or a ledger row is missing, 2 for a wrong option, 78 when the machine is too loaded to measure on.
 */
import { readBenchOptions } from "../options.ts";
import { removeAllFolders } from "../folders.ts";
import { reasonToRefuse } from "../machine.ts";
import { killAllChildren } from "../processes.ts";
import { table } from "../report.ts";
import { gatewayRows } from "./bench.ts";
import { trials } from "./trials.ts";

const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = readBenchOptions(
    trials.map(({ id }) => id),
    { calibrate: false },
  );
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
