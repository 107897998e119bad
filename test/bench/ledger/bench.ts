/**
 * Measures one ledger of a year: what a row costs, every question while a gateway's rows are written, and the event loop of the
 * thread that writes, also during an export, a backup and a retention pass. The ledger runs here as it does in the server: its
 * writer on this thread, its reports on the reader thread.
 */
import { rmSync, statSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import type { Log } from "../../../server/domain/ports.ts";
import { prepareFold } from "../../../server/ledger/fold.ts";
import { type Ledger, openLedger } from "../../../server/ledger/ledger.ts";
import { openDatabase } from "../../../server/ledger/open.ts";
import { systemClock } from "../../../server/platform/clock.ts";
import { seeded } from "../../support/random.ts";
import { type BenchRow, judge, median, percentile, type RowDefinition } from "../measure.ts";
import { builtLedger } from "./build.ts";
import { oneRequest, startLoad } from "./load.ts";
import { questions } from "./questions.ts";
import { underGatewayRows } from "./under-gateway.ts";
import { yearEndMs } from "./year.ts";

/** Requests a second while questions are asked. */
const loadPerSecond = 500;
const dayMs = 86_400_000;
/** An export and a retention pass are looked at for so long at most. */
const lookMs = 20_000;
const requestsPerBatch = 100;
const batches = 100;

export interface LedgerBenchOptions {
  readonly seed: number;
  /** Times that each question is asked. */
  readonly runs: number;
  wants(part: string): boolean;
  say(sentence: string): void;
}

const bound = (name: string, unit: string, target: number | null): RowDefinition => ({
  ...{ name, unit, better: "lower", target },
});

export async function ledgerRows(rows: number, options: LedgerBenchOptions): Promise<BenchRow[]> {
  const path = builtLedger(rows, options.seed, options.say);
  const found: BenchRow[] = [judge(bound("bytes a request", "B", null), [statSync(path).size / rows], [])];
  if (options.wants("row")) found.push(...rowCost(path, options));
  if (options.wants("server")) found.push(...(await underGateway(path, rows, options)));
  const log = quietLog();
  const ledger = openLedger(path, { clock: systemClock, log });
  try {
    if (options.wants("questions")) found.push(...(await questionRows(ledger, path, rows, options)));
    if (options.wants("export")) found.push(...(await exportRows(ledger, options)));
    if (options.wants("backup") || options.wants("retention")) {
      found.push(...(await backupRows(ledger, path, rows, options)));
    }
  } finally {
    await ledger.close();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}.copy${suffix}`, { force: true });
  }
  return found.map((row) => ({ ...row, name: `${rows.toLocaleString("en")}: ${row.name}` }));
}

/** A request with its attempt, opened and ended, in batches as a busy server commits them; and what folding it costs later. */
function rowCost(path: string, { seed }: LedgerBenchOptions): BenchRow[] {
  // Nothing else runs on this thread meanwhile: the clock never calls, so nothing is folded in between.
  const ledger = openLedger(path, { clock: { ...systemClock, after: () => () => {} }, log: quietLog() });
  const random = seeded(seed + 1);
  const each: number[] = [];
  for (let batch = 0; batch < batches; batch += 1) {
    const beganMs = performance.now();
    for (let index = 0; index < requestsPerBatch; index += 1) void oneRequest(ledger, random)();
    ledger.writer.flush();
    each.push((performance.now() - beganMs) / requestsPerBatch);
  }
  void ledger.close();
  const database = openDatabase(path);
  const fold = prepareFold(database);
  const folds: number[] = [];
  let beganMs = performance.now();
  while (fold(requestsPerBatch) > 0) {
    folds.push(performance.now() - beganMs);
    beganMs = performance.now();
  }
  database.close();
  const foldEach = folds.map((ms) => ms / requestsPerBatch);
  return [
    judge(
      bound("one more request with its attempt, four statements in a batch of 100: median", "ms", 0.1),
      [median(each)],
      [],
    ),
    judge(bound("  the same, p99 of the batches", "ms", null), [percentile(each, 0.99)], []),
    judge(bound("  its share of folding, later: median", "ms", null), [median(foldEach)], []),
    judge(bound("  one fold of 100 at once: p99", "ms", null), [percentile(folds, 0.99)], []),
  ];
}

async function underGateway(path: string, rows: number, options: LedgerBenchOptions): Promise<BenchRow[]> {
  const looking = new Database(path, { readonly: true });
  const idOf = looking.prepare<[number], { id: string }>("SELECT id FROM requests WHERE number = ?");
  try {
    return await underGatewayRows(path, (share) => idOf.get(1 + Math.floor(share * (rows - 1)))?.id ?? "", options);
  } finally {
    looking.close();
  }
}

async function questionRows(
  ledger: Ledger,
  path: string,
  rows: number,
  { seed, runs, say }: LedgerBenchOptions,
): Promise<BenchRow[]> {
  const random = seeded(seed + 2);
  const looking = new Database(path, { readonly: true });
  const idOf = looking.prepare<[number], { id: string }>("SELECT id FROM requests WHERE number = ?");
  const idAt = (share: number) => idOf.get(1 + Math.floor(share * (rows - 1)))?.id ?? "";
  const asked = questions(ledger, random, idAt);
  const took = new Map<string, number[]>(asked.map(({ name }) => [name, []]));
  const load = startLoad(ledger, loadPerSecond, seed + 3);
  // The thread starts with the first question, and compiles with the first few.
  for (let warm = 0; warm < 3; warm += 1) for (const { ask } of asked) await ask();
  const loop = watchLoop();
  const beganMs = performance.now();
  for (let run = 0; run < runs; run += 1) {
    for (const { name, ask } of asked) {
      const fromMs = performance.now();
      await ask();
      took.get(name)?.push(performance.now() - fromMs);
      await delay(2);
    }
  }
  const loopRow = loop.row("event loop late while questions are answered, p99");
  const seconds = (performance.now() - beganMs) / 1000;
  const written = await load.stop();
  looking.close();
  say(`${(written / seconds).toFixed(0)} requests a second were written meanwhile.`);
  return [
    ...[...took].map(([name, ms]) => judge(bound(`${name}: p95`, "ms", 50), [percentile(ms, 0.95)], [])),
    loopRow,
  ];
}

async function exportRows(ledger: Ledger, { seed, say }: LedgerBenchOptions): Promise<BenchRow[]> {
  const load = startLoad(ledger, loadPerSecond, seed + 4);
  const loop = watchLoop();
  const beganMs = performance.now();
  let lines = 0;
  for await (const piece of ledger.reports.export("csv")) {
    lines += piece.split("\r\n").length - 1;
    if (performance.now() - beganMs > lookMs) break;
  }
  const seconds = (performance.now() - beganMs) / 1000;
  const row = loop.row("event loop late during an export, p99");
  await load.stop();
  say(`Exported ${lines} rows in ${seconds.toFixed(1)} s.`);
  const rate = { name: "export", unit: "rows/s", better: "higher", target: null } as const;
  return [judge(rate, [lines / seconds], []), row];
}

async function backupRows(
  ledger: Ledger,
  path: string,
  rows: number,
  options: LedgerBenchOptions,
): Promise<BenchRow[]> {
  const copy = `${path}.copy`;
  for (const suffix of ["", "-wal", "-shm"]) rmSync(copy + suffix, { force: true });
  const load = startLoad(ledger, loadPerSecond, options.seed + 5);
  const loop = watchLoop();
  const waits: number[] = [];
  const beganMs = performance.now();
  let isDone = false;
  const making = ledger.reports.backup(copy).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    const fromMs = performance.now();
    await ledger.reports.recent(50);
    waits.push(performance.now() - fromMs);
    await Promise.race([making, delay(20)]);
  }
  await making;
  const seconds = (performance.now() - beganMs) / 1000;
  const loopRow = loop.row("event loop late during a backup, p99");
  await load.stop();
  const walBytes = statSync(`${path}-wal`).size;
  options.say(
    `The backup took ${seconds.toFixed(1)} s; the write-ahead log had ${(walBytes / 2 ** 20).toFixed(0)} MiB after it.`,
  );
  const same = (await sumsOf(ledger)) === (await inCopy(copy, sumsOf)) && rowSums(copy) === rowSums(path);
  const found = [
    judge(bound("backup under load", "s", null), [seconds], []),
    loopRow,
    judge(bound("  newest 50 meanwhile, p95", "ms", null), [percentile(waits, 0.95)], []),
    judge(
      { name: "a restored backup has the same sums", unit: "yes", better: "higher", target: 1 },
      [same ? 1 : 0],
      [],
    ),
  ];
  if (options.wants("retention")) found.push(...(await retentionRows(copy, rows, options)));
  return found;
}

/** Of the year, without what the load adds. */
async function sumsOf(ledger: Ledger): Promise<string> {
  return JSON.stringify(await ledger.reports.summary({ toMs: yearEndMs }));
}

async function inCopy<Result>(path: string, work: (ledger: Ledger) => Promise<Result>): Promise<Result> {
  const ledger = openLedger(path, { clock: systemClock, log: quietLog() });
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

function rowSums(path: string): string {
  const database = new Database(path, { readonly: true });
  try {
    const sql = `SELECT count(*), sum(known_nanos), sum(prompt_tokens), sum(completion_tokens), count(cost_nanos)
      FROM requests WHERE started_at_ms < ${yearEndMs}`;
    return JSON.stringify(database.prepare(sql).raw().get());
  } finally {
    database.close();
  }
}

/** On the copy, so that the year stays whole: about the oldest fiftieth goes, as far as there is time. */
async function retentionRows(copy: string, rows: number, { seed, say }: LedgerBenchOptions): Promise<BenchRow[]> {
  const database = new Database(copy, { readonly: true });
  const oldest = database
    .prepare<[number], { ms: number }>("SELECT started_at_ms AS ms FROM requests WHERE number = ?")
    .get(Math.ceil(rows / 50));
  const before = database.prepare("SELECT count(*) FROM requests").pluck().get() as number;
  database.close();
  const whole = await inCopy(copy, sumsOf);
  const keepDays = Math.floor((Date.now() - (oldest?.ms ?? 0)) / dayMs);
  const log = quietLog();
  const ledger = openLedger(copy, { clock: systemClock, log, keepDays });
  const load = startLoad(ledger, loadPerSecond, seed + 6);
  const loop = watchLoop();
  const beganMs = performance.now();
  while (log.infos === 0 && performance.now() - beganMs < lookMs) await delay(50);
  const seconds = (performance.now() - beganMs) / 1000;
  const loopRow = loop.row("event loop late during a retention pass, p99");
  const written = await load.stop();
  const after = JSON.parse(await sumsOf(ledger)) as { rowsFromMs: number | null };
  await ledger.close();
  const left = new Database(copy, { readonly: true });
  const removed = before + written - (left.prepare("SELECT count(*) FROM requests").pluck().get() as number);
  left.close();
  say(`${removed} old requests were removed in ${seconds.toFixed(1)} s.`);
  const isSame = JSON.stringify({ ...after, rowsFromMs: null }) === whole && removed > 0;
  const same = { name: "  sums of the year are as before", unit: "yes", better: "higher", target: 1 } as const;
  return [
    loopRow,
    judge({ name: "  removed", unit: "rows/s", better: "higher", target: null }, [removed / seconds], []),
    judge(same, [isSame ? 1 : 0], []),
  ];
}

/** How late this thread's event loop is. */
function watchLoop() {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  return {
    row(name: string): BenchRow {
      histogram.disable();
      // The timer's own millisecond is in every value.
      return judge(bound(name, "ms", 20), [Math.max(0, histogram.percentile(99) / 1e6 - 1)], []);
    },
  };
}

function quietLog(): Log & { infos: number } {
  const log = {
    infos: 0,
    debug() {},
    info() {
      log.infos += 1;
    },
    warn: (...words: unknown[]) => void process.stderr.write(`${JSON.stringify(words)}\n`),
    error: (...words: unknown[]) => void process.stderr.write(`${JSON.stringify(words)}\n`),
  };
  return log as unknown as Log & { infos: number };
}
