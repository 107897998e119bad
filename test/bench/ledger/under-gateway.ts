/**
 * The same questions as a person's page and scripts ask them: over the admin API of a whole server whose ledger holds the year, while
 * the gateway bench's sixteen connections keep it busy. The event loop is the server's own word.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { type Random, seeded } from "../../support/random.ts";
import { type Lanthorn, startLanthorn } from "../gateway/lanthorn.ts";
import { type LoadOrder, type LoadResult, loadResultSchema } from "../gateway/load.ts";
import { wholeModel } from "../gateway/script.ts";
import { requestBody } from "../gateway/trials.ts";
import { type BenchRow, judge, percentile, type RowDefinition } from "../measure.ts";
import { freePort, startChild, waitForOk } from "../processes.ts";
import { keyCount, yearBeginMs, yearMs } from "./year.ts";

const dayMs = 86_400_000;
const holdMs = 20;
/** One load after the other, for as long as questions are asked. */
const loadMs = 10_000;
const warmUpMs = 8_000;
const readyLimitMs = 20_000;

export interface UnderGatewayOptions {
  readonly seed: number;
  /** Times that each question is asked. */
  readonly runs: number;
  say(sentence: string): void;
}

const bound = (name: string, target: number): RowDefinition => ({
  ...{ name, unit: "ms", better: "lower", target },
});

/** `idAt` gives the id of a request somewhere in the year. */
export async function underGatewayRows(
  ledgerFile: string,
  idAt: (share: number) => string,
  { seed, runs, say }: UnderGatewayOptions,
): Promise<BenchRow[]> {
  const upstreamPort = await freePort();
  const origin = `http://127.0.0.1:${upstreamPort}`;
  const program = join(import.meta.dirname, "../gateway/upstream.ts");
  const upstream = startChild("upstream", process.execPath, [program, String(upstreamPort)]);
  let server: Lanthorn | null = null;
  try {
    await waitForOk(upstream, `${origin}/`, readyLimitMs);
    const model = wholeModel(holdMs);
    const box = await startLanthorn(origin, [model], ledgerFile);
    server = box;
    const order: LoadOrder = {
      ...{ port: box.port, headers: { ...box.headers }, body: requestBody(box.modelOf(model), false) },
      ...{ connections: 16, durationMs: loadMs, most: 1_000_000, frames: null },
    };
    await load({ ...order, durationMs: warmUpMs });
    const random = seeded(seed + 7);
    const took = new Map<string, number[]>();
    let isDone = false;
    const loads: LoadResult[] = [];
    const loading = (async () => {
      while (!isDone) loads.push(await load(order));
    })();
    // The reader thread starts with the first question, and compiles with the first few.
    for (let warm = 0; warm < 3; warm += 1) for (const [, path] of paths(random, idAt)) await box.read(path);
    await box.loopLateMs();
    for (let run = 0; run < runs; run += 1) {
      for (const [name, path] of paths(random, idAt)) {
        const beganMs = performance.now();
        await box.read(path);
        const ms = performance.now() - beganMs;
        took.set(name, [...(took.get(name) ?? []), ms]);
        await delay(2);
      }
    }
    const lateMs = await box.loopLateMs();
    isDone = true;
    await loading;
    const requests = loads.reduce((sum, one) => sum + one.requests, 0);
    const seconds = loads.reduce((sum, one) => sum + one.seconds, 0);
    const failures = loads.reduce((sum, one) => sum + one.failures, 0);
    say(`${(requests / seconds).toFixed(0)} requests a second went through the gateway meanwhile, ${failures} failed.`);
    const worst = [...took.values()].map((each) => percentile(each, 0.95));
    return [
      ...[...took].map(([name, each]) => judge(bound(`${name}: p95`, 50), [percentile(each, 0.95)], [])),
      judge(bound("the slowest of these", 50), [Math.max(...worst)], []),
      judge(bound("event loop of the server late meanwhile, p99", 20), [lateMs], []),
      judge({ ...bound("gateway requests that failed meanwhile", 0), unit: "requests" }, [failures], []),
    ];
  } finally {
    await server?.stop();
    await upstream.stop();
  }
}

/** One of each, at random places of the year. */
function paths(random: Random, idAt: (share: number) => string): readonly (readonly [name: string, path: string])[] {
  const moment = () => yearBeginMs + random.below(yearMs);
  const key = () => 1 + (random.chance(0.5) ? random.below(10) : random.below(keyCount));
  const between = () => {
    const [one, other] = [moment(), moment()];
    return `from=${Math.min(one, other)}&to=${Math.max(one, other) + 1}`;
  };
  const month = () => {
    const from = Math.floor(moment() / dayMs) * dayMs;
    return `from=${from}&to=${from + 30 * dayMs}`;
  };
  const summary = "/admin/usage/summary";
  const requests = "/admin/usage/requests";
  return [
    ["GET summary", summary],
    ["GET summary from to", `${summary}?${between()}`],
    ["GET summary of a month", `${summary}?${month()}`],
    ["GET summary of a key", `${summary}?key=${key()}`],
    ["GET summary of a key from to", `${summary}?key=${key()}&${between()}`],
    ["GET requests, newest 50", requests],
    ["GET requests, 50 before one", `${requests}?before=${idAt(random.number())}`],
    ["GET requests of a month", `${requests}?${month()}`],
    ["GET requests of a key", `${requests}?key=${key()}`],
    ["GET requests of a key in a month", `${requests}?key=${key()}&${month()}`],
    ["GET one request", `${requests}/${idAt(random.number())}`],
  ];
}

async function load(order: LoadOrder): Promise<LoadResult> {
  const program = join(import.meta.dirname, "../gateway/load.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(order)], {
    timeout: order.durationMs + 60_000,
  });
  return loadResultSchema.parse(JSON.parse(stdout));
}
