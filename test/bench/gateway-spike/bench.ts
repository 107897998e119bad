/**
 * The gateway row: requests per second through our spike and through Portkey's gateway, with the same stub upstream and the
 * same load, one process each, interleaved. Both stay up; the one that is not measured is idle.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { removeFolder, temporaryFolder } from "../folders.ts";
import { type BenchRow, judge, orderOfRun, type RowDefinition, type Side } from "../measure.ts";
import { type BenchChild, freePort, startChild, waitForOk } from "../processes.ts";
import { quietOrThrow, type RunOptions, undisturbed } from "../runner.ts";
import { type LoadOrder, loadResultSchema } from "./load.ts";
import { installPortkey, portkeyHeaders, startPortkey } from "./portkey.ts";

const connections = 16;
const warmUpMs = 2000;
const measuredMs = 4000;
const defaultRuns = 5;
const readyLimitMs = 20_000;
const row: RowDefinition = {
  name: "gateway spike beside Portkey, 16 connections",
  unit: "req/s",
  better: "higher",
  target: 3,
};

/** A request as a small coding agent sends it: a system prompt, a question, one tool. About 2 kB. */
const body = JSON.stringify({
  model: "stub",
  messages: [
    { role: "system", content: "You are a careful assistant that works in a repository. ".repeat(20) },
    { role: "user", content: "What does this function do?" },
  ],
  tools: [
    {
      type: "function",
      function: {
        name: "read_file",
        description: "Reads a file of the repository.",
        parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
      },
    },
  ],
  max_tokens: 64,
  temperature: 0,
});

export async function gatewayRows(options: RunOptions): Promise<BenchRow[]> {
  if (!(await installPortkey(options.say))) return [];
  await quietOrThrow(options);
  const folder = temporaryFolder();
  const started: BenchChild[] = [];
  try {
    const upstream = await startOwn("stub upstream", "upstream.ts", (port) => [String(port)]);
    started.push(upstream);
    const ours = await startOwn("gateway spike", "gateway.ts", (port) => [
      String(port),
      upstream.origin,
      join(folder, "ledger.db"),
    ]);
    started.push(ours);
    const portkey = await startPortkey();
    started.push(portkey);
    const headers = { "content-type": "application/json" };
    const orders: Record<Side, Omit<LoadOrder, "durationMs">> = {
      ours: { origin: ours.origin, headers: { ...headers, authorization: "Bearer stub-key" }, body, connections },
      peer: { origin: portkey.origin, headers: { ...headers, ...portkeyHeaders(upstream.origin) }, body, connections },
    };
    for (const side of orderOfRun(0)) await requestsPerSecond({ ...orders[side], durationMs: warmUpMs });
    const samples: Record<Side, number[]> = { ours: [], peer: [] };
    const runs = options.runs ?? defaultRuns;
    for (let run = 0; run < runs; run += 1) {
      for (const side of orderOfRun(run)) {
        const figure = await undisturbed({ id: "gateway" }, options, () =>
          requestsPerSecond({ ...orders[side], durationMs: measuredMs }),
        );
        options.say(`gateway ${side} ${run + 1}/${runs}: ${figure.toFixed(0)}`);
        samples[side].push(figure);
      }
    }
    return [judge(row, samples.ours, samples.peer)];
  } finally {
    await Promise.all(started.map((child) => child.stop()));
    removeFolder(folder);
  }
}

async function startOwn(
  name: string,
  file: string,
  args: (port: number) => readonly string[],
): Promise<BenchChild & { readonly origin: string }> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const child = startChild(name, process.execPath, [join(import.meta.dirname, file), ...args(port)]);
  try {
    await waitForOk(child, `${origin}/`, readyLimitMs);
  } catch (thrown) {
    await child.stop();
    throw thrown;
  }
  return { ...child, origin };
}

/** Runs the load in its own process. Throws when any request failed: a fast error is not a fast answer. */
async function requestsPerSecond(order: LoadOrder): Promise<number> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, "load.ts"), JSON.stringify(order)],
    { timeout: order.durationMs + 20_000 },
  );
  const result = loadResultSchema.parse(JSON.parse(stdout));
  if (result.failures > 0)
    throw new Error(`${result.failures} of ${result.requests + result.failures} requests failed`);
  return result.requests / result.seconds;
}
