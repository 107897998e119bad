/**
 * The stand-in Hub alone: `node test/support/hub/main.ts --folder <folder> [--port 0] [--script cuts]`. Prints one JSON line
 * with its addresses; a line on stdin is answered with the meter. Ends with its stdin, or on a signal.
 */
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { HubMeter } from "./meter.ts";
import { startHub } from "./hub.ts";
import { isScriptName, scripts } from "./script.ts";

const { values } = parseArgs({
  options: {
    folder: { type: "string" },
    port: { type: "string", default: "0" },
    script: { type: "string", default: "good" },
  },
});
const { folder, script } = values;
const port = Number(values.port);
if (folder === undefined || !isScriptName(script) || !Number.isInteger(port) || port < 0 || port > 65_535) {
  process.stderr.write(`usage: --folder <folder> [--port 0] [--script ${Object.keys(scripts).join("|")}]\n`);
  process.exitCode = 2;
} else {
  const hub = await startHub({ folder, port, script: scripts[script] });
  const say = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
  const repositories = [...hub.shelf.values()].map(({ name, commit, files }) => ({
    name,
    commit,
    files: files.length,
  }));
  say({ url: hub.url, storageUrl: hub.storageUrl, script, repositories });
  const lines = createInterface({ input: process.stdin });
  lines.on("line", () => say(hub.meter instanceof HubMeter ? hub.meter.asJson() : {}));
  lines.once("close", () => void hub.close());
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => lines.close());
}
