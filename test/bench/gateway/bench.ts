/**
 * Runs the trials of the gateway bench: warms up, then rounds in which every contestant has its turn, in changing order; what is
 * added is counted against the bare upstream of the same round. Every request that was sent to us must have its ledger row.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { type BenchRow, judge, type RowDefinition } from "../measure.ts";
import { memoryBytesOf, stopAllChildren } from "../processes.ts";
import { quietOrThrow, type RunOptions, undisturbed } from "../runner.ts";
import { type Contestants, startContestants, type Way } from "./contestants.ts";
import { type LoadOrder, type LoadResult, loadResultSchema } from "./load.ts";
import { installPortkey } from "./portkey.ts";
import { manyRows, requestBody, type Trial, trials } from "./trials.ts";
import { streamModel, type StreamScript, wholeModel } from "./script.ts";

const defaultRuns = 5;
/** As much for each side: V8 compiles the last of what a request runs after some twenty thousand of them. */
const warmUpMs = Object.freeze({ whole: 20_000, stream: 8_000 });
/** As fast as they come: a frame is a frame. */
const warmStream: StreamScript = { frames: 64, paceMs: 1 };
/** Into the long streams: all of them run. */
const busyAfterMs = 2500;
const calmMs = 10_000;
/** Besides the time a load is told to take. */
const loadLimitMs = 60_000;
const mebibyte = 1024 * 1024;

/** A row of the table; the ledger's own carries both counts by name. */
export type GatewayRow = BenchRow & { readonly ledgerRows?: number; readonly requests?: number };

type Options = Pick<RunOptions, "runs" | "anyway" | "say"> & { wants(names: readonly string[]): boolean };

export async function gatewayRows(options: Options): Promise<GatewayRow[]> {
  const wanted = trials.filter(({ id }) => options.wants(["gateway", id]));
  const withPeer = await installPortkey(options.say);
  await quietOrThrow(options);
  const warm = [wholeModel(0), streamModel(warmStream)];
  const models = [...new Set([...warm, ...wanted.map(({ model }) => model)])];
  const contestants = await startContestants(models, withPeer);
  try {
    const tally: Tally = { sentToUs: 0, failures: [] };
    await warmUp(
      contestants,
      tally,
      wanted.some(({ stream }) => stream),
      options.say,
    );
    const rows: GatewayRow[] = [];
    for (const trial of wanted) rows.push(...(await rowsOf(trial, contestants, tally, options)));
    for (const failure of tally.failures) options.say(failure);
    rows.push(await ledgerRow(contestants, tally));
    return rows;
  } finally {
    await stopAllChildren();
    await contestants.ours.stop();
  }
}

interface Tally {
  sentToUs: number;
  readonly failures: string[];
}

/** What a server that has run for a while does. */
async function warmUp(contestants: Contestants, tally: Tally, streams: boolean, say: Options["say"]): Promise<void> {
  say(
    `Warming up, ${warmUpMs.whole / 1000} s of whole answers${streams ? ` and ${warmUpMs.stream / 1000} s of streams` : ""} each.`,
  );
  const load = { connections: 16, durationMs: warmUpMs.whole, most: 1_000_000, frames: null };
  for (const way of waysOf(contestants)) {
    await run(contestants, way, { model: wholeModel(0), stream: false, load, id: "warm-up" }, tally);
    if (!streams) continue;
    const trial = {
      model: streamModel(warmStream),
      stream: true,
      load: { ...load, durationMs: warmUpMs.stream, frames: warmStream.frames },
    };
    await run(contestants, way, { ...trial, id: "warm-up" }, tally);
  }
}

async function rowsOf(trial: Trial, contestants: Contestants, tally: Tally, options: Options): Promise<GatewayRow[]> {
  const runs = options.runs ?? (trial.id === "many" ? 1 : defaultRuns);
  const ways = waysOf(contestants);
  const isMany = trial.id === "many";
  const rounds: Record<Way, LoadResult>[] = [];
  const memory = memoryNotes();
  const loopMs: number[] = [];
  for (let round = 0; round < runs; round += 1) {
    const results = await undisturbed(trial, options, async () => {
      const seen: Partial<Record<Way, LoadResult>> = {};
      for (let turn = 0; turn < ways.length; turn += 1) {
        const way = ways[(round + turn) % ways.length] ?? "direct";
        if (!isMany) seen[way] = await run(contestants, way, trial, tally);
        else {
          if (way === "ours") await contestants.ours.loopLateMs();
          seen[way] = await memory.around(contestants, way, () => run(contestants, way, trial, tally));
          if (way === "ours") loopMs.push(await contestants.ours.loopLateMs());
        }
      }
      return seen as Record<Way, LoadResult>;
    });
    rounds.push(results);
    options.say(`${trial.id} ${round + 1}/${runs}: ${ways.map((way) => `${way} ${brief(results[way])}`).join("; ")}`);
  }
  // A refusal is quick and no answer: a peer that answered nothing has no figures.
  const hasPeer = contestants.peer !== null && rounds.every(({ peer }) => peer.failures < peer.requests);
  const rows: GatewayRow[] = trial.rows.map((row) => {
    const figures = (way: Way) =>
      rounds.map((round) => row.figure(round[way]) - (row.of === "added" ? row.figure(round.direct) : 0));
    return judge(row, figures("ours"), hasPeer ? figures("peer") : []);
  });
  if (trial.id === "throughput") {
    const share = {
      name: "  the same over the bare upstream's",
      unit: "ratio",
      better: "higher",
      target: null,
    } as const;
    const of = (way: Way) => rounds.map((round) => rate(round[way]) / rate(round.direct));
    rows.push(judge(share, of("ours"), hasPeer ? of("peer") : []));
  }
  if (isMany) {
    rows.push(judge(manyRows.loop, loopMs, []));
    for (const when of ["idle", "busy", "after"] as const) {
      rows.push(judge(manyRows[when] as RowDefinition, memory.ours[when], hasPeer ? memory.peer[when] : []));
    }
  }
  return rows;
}

function waysOf({ peer }: Contestants): readonly Way[] {
  return peer === null ? ["direct", "ours"] : ["direct", "ours", "peer"];
}

function rate({ requests, seconds }: LoadResult): number {
  return requests / seconds;
}

function brief({ requests, seconds, answer, ttft, gap, failures }: LoadResult): string {
  const figures = ttft === null ? answer : ttft;
  const gaps = gap === null ? "" : `, gap p99 ${gap.p99.toFixed(2)}`;
  const wrong = failures === 0 ? "" : `, ${failures} FAILED`;
  const each = `p50 ${figures.p50.toFixed(2)} p99 ${figures.p99.toFixed(2)}${gaps} ms`;
  return `${(requests / seconds).toFixed(0)}/s ${each}${wrong}`;
}

/** One load in its own process. A failed answer of ours or of the peer is told at the end and never becomes a figure unnamed. */
async function run(
  contestants: Contestants,
  way: Way,
  trial: Pick<Trial, "id" | "model" | "stream" | "load">,
  tally: Tally,
): Promise<LoadResult> {
  const target = contestants[way];
  if (target === null) throw new Error(`there is no ${way}`);
  const order: LoadOrder = {
    ...trial.load,
    port: target.port,
    headers: { ...target.headers },
    body: requestBody(target.modelOf(trial.model), trial.stream),
  };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, "load.ts"), JSON.stringify(order)],
    { timeout: order.durationMs + loadLimitMs },
  );
  const result = loadResultSchema.parse(JSON.parse(stdout));
  if (way === "ours") tally.sentToUs += result.requests;
  if (result.failures > 0) {
    const { failures, requests, firstFailure } = result;
    tally.failures.push(`${trial.id}, ${target.name}: ${failures} of ${requests} went wrong, first: ${firstFailure}`);
  }
  return result;
}

function memoryNotes() {
  const notes = () => ({ idle: [] as number[], busy: [] as number[], after: [] as number[] });
  const all = { ours: notes(), peer: notes() };
  return {
    ...all,
    async around<T>(contestants: Contestants, way: Way, work: () => Promise<T>): Promise<T> {
      const target = contestants[way];
      if (way === "direct" || target === null) return await work();
      const now = () => memoryBytesOf(target.pid) / mebibyte;
      all[way].idle.push(now());
      const working = work();
      await Promise.race([working, delay(busyAfterMs)]);
      all[way].busy.push(now());
      const result = await working;
      await delay(calmMs);
      all[way].after.push(now());
      return result;
    },
  };
}

/** What was sent to us beside what `usage summary` says was written. */
async function ledgerRow({ ours }: Contestants, { sentToUs }: Tally): Promise<GatewayRow> {
  const ledgerRows = await ours.ledgerRows();
  const definition = { name: "ledger rows / requests", unit: "rows", better: "higher", target: 1 } as const;
  const row = judge(definition, [ledgerRows], [sentToUs]);
  return { ...row, holds: ledgerRows === sentToUs, ledgerRows, requests: sentToUs };
}
