/**
 * One stand-in vendor as a program: prints a JSON line with its address, answers each line on stdin with its log, and ends with
 * its stdin or on a signal. `--script` names a step that every request takes, or is JSON: one step, or a list of them.
 */
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { namedSteps, type Step, type WireName } from "./script.ts";
import { startVendor } from "./vendor.ts";

export async function runAlone(wire: WireName): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "0" },
      script: { type: "string", default: "good" },
      models: { type: "string", default: "stand-in" },
      key: { type: "string" },
      "says-cost": { type: "boolean", default: false },
    },
  });
  const script = readScript(values.script);
  const port = Number(values.port);
  if (script === null || !Number.isInteger(port) || port < 0 || port > 65_535) {
    const names = Object.keys(namedSteps).join("|");
    process.stderr.write(`usage: [--port 0] [--script ${names}|<json>] [--models a,b] [--key k] [--says-cost]\n`);
    process.exitCode = 2;
    return;
  }
  const vendor = await startVendor({
    wire,
    script,
    port,
    models: values.models.split(","),
    ...(values.key === undefined ? {} : { keys: [values.key] }),
    saysCost: values["says-cost"],
  });
  const say = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
  say({ wire, url: vendor.url, baseUrl: vendor.baseUrl });
  const lines = createInterface({ input: process.stdin });
  lines.on("line", () => say({ connections: vendor.log.connections, requests: vendor.log.requests }));
  lines.once("close", () => void vendor.stop());
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => lines.close());
}

function readScript(text: string): readonly Step[] | (() => Step) | null {
  const named = namedSteps[text];
  if (named !== undefined) return () => named;
  try {
    const value = JSON.parse(text) as Step | readonly Step[];
    return Array.isArray(value) ? (value as readonly Step[]) : () => value as Step;
  } catch {
    return null;
  }
}
