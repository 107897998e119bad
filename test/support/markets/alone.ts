/**
 * One stand-in market as a program: a line of JSON says where it listens, and it ends on a signal. `--serve` starts a real Lanthorn,
 * `serve --headless`, for each instance that runs.
 */
import { parseArgs } from "node:util";
import { type ScriptName, scripts } from "./scripts.ts";
import type { StandIn, StandInOptions } from "./stand-in.ts";

const options = {
  port: { type: "string", default: "0" },
  script: { type: "string", default: "normal" },
  speed: { type: "string", default: "1" },
  "boot-ms": { type: "string", default: "30000" },
  start: { type: "string" },
  runs: { type: "string" },
  serve: { type: "boolean", default: false },
} as const;

export async function runAlone(start: (options: StandInOptions) => Promise<StandIn>): Promise<void> {
  const { values } = parseArgs({ options });
  const numbers = [values.port, values.speed, values["boot-ms"]].map(Number);
  const startMs = values.start === undefined ? Date.now() : Date.parse(values.start);
  if (!Object.hasOwn(scripts, values.script) || [...numbers, startMs].some((value) => !(value >= 0))) {
    const names = Object.keys(scripts).join("|");
    process.stderr.write(`usage: [--port 0] [--speed 60] [--boot-ms 30000] [--start 2026-11-27T20:00:00Z]\n`);
    process.stderr.write(`       [--runs host:port | --serve] [--script ${names}]\n`);
    process.exitCode = 2;
    return;
  }
  const [port = 0, speed = 1, bootMs = 30_000] = numbers;
  // With all that a server needs: only where one is asked for.
  const { lanthornMachines } = values.serve ? await import("./lanthorn-machine.ts") : {};
  const machines = lanthornMachines?.(() => standIn.url);
  const standIn = await start({
    ...{ port, speed, bootMs, startMs, script: values.script as ScriptName },
    runs: machines?.start ?? values.runs ?? null,
  });
  const { url, controlUrl, key } = standIn;
  process.stdout.write(`${JSON.stringify({ url, controlUrl, key })}\n`);
  let isEnding = false;
  const end = async () => {
    if (isEnding) return;
    isEnding = true;
    await standIn.close();
    await machines?.remove();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void end());
}
