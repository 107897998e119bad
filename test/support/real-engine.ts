/** The real engine over a real worker process and a real GGUF, as the appliance builds it, without HTTP and ledger. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createContentIds } from "../../models/content-id.ts";
import { abilityOf } from "../../models/ability.ts";
import { examineGguf } from "../../models/gguf/validate.ts";
import { createEngine, type Engine } from "../../server/backends/engine/engine.ts";
import type { PlanLoad } from "../../server/domain/fit/load-plan.ts";
import { simplePlan } from "../../server/backends/engine/load-plan.ts";
import type { EngineSettings } from "../../server/backends/engine/model-host.ts";
import type { ToWorker } from "../../server/backends/engine/protocol.ts";
import { createKvStore, type KvStore, type KvStoreOptions } from "../../server/backends/engine/kv-store/kv-store.ts";
import { preparerStarter, workerStarter } from "../../server/backends/engine/start-process.ts";
import type { BoxEvent, Log, ModelFile } from "../../server/domain/ports.ts";
import type { Capacity } from "../../server/domain/residency/memory.ts";
import { systemClock } from "../../server/platform/clock.ts";
import { newToolCallId } from "../../server/platform/ids.ts";

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

export const testSettings: EngineSettings = {
  threads: 1,
  slots: 2,
  context: 2_048,
  batchSize: 512,
  tokenGapMs: 600,
  queue: 64,
  loadTimeoutMs: 60_000,
  watchdogMs: 10_000,
  templateTimeLimitMs: 2_000,
  hygiene: "on",
  keepAliveMs: null,
  minimumStayMs: 0,
};

/** More than any test's models take. */
export const muchMemory: Capacity = { ramBytes: 2 ** 40, vramBytes: 0, totalBytes: 2 ** 40 };

/** In memory, for itself alone. */
export function testStore(): KvStoreOptions {
  return {
    mode: "ram",
    memoryBytes: 64 * 2 ** 20,
    storeBytes: 256 * 2 ** 20,
    folder: join(tmpdir(), `lanthorn-test-kv-${randomUUID()}`),
    contentId: createContentIds().of,
    build: "test build",
    keepsGroup: () => true,
    log: silentLog,
  };
}

export interface RealEngine {
  readonly engine: Engine;
  readonly published: readonly BoxEvent[];
  /** Process ids of all workers ever started, oldest first. */
  readonly pids: readonly number[];
  /** What was said to which worker, in order. */
  readonly sent: readonly { readonly pid: number; readonly type: ToWorker["type"] }[];
  readonly kvStore: KvStore;
  close(): Promise<void>;
}

export async function realEngine(
  models: readonly { readonly alias: string; readonly path: string }[],
  settings: Partial<EngineSettings> = {},
  {
    capacity,
    plan,
    ...store
  }: { readonly capacity?: Capacity; readonly plan?: PlanLoad } & Partial<KvStoreOptions> = {},
): Promise<RealEngine> {
  const published: BoxEvent[] = [];
  const pids: number[] = [];
  const sent: { pid: number; type: ToWorker["type"] }[] = [];
  const start = workerStarter(store.log ?? silentLog);
  const kvStore = createKvStore({ ...testStore(), ...store });
  const files = await Promise.all(models.map(({ alias, path }) => modelFile(alias, path)));
  const all = { ...testSettings, ...settings };
  const engine = createEngine({
    files,
    settings: all,
    capacity: capacity ?? muchMemory,
    ports: {
      clock: systemClock,
      log: silentLog,
      publish: (event) => published.push(event),
      newToolCallId,
      kvStore,
      plan: plan ?? simplePlan(all),
      startPreparer: preparerStarter(silentLog),
      startWorker: (handlers) => {
        const worker = start(handlers);
        pids.push(worker.pid);
        return {
          ...worker,
          send: (message) => {
            sent.push({ pid: worker.pid, type: message.type });
            return worker.send(message);
          },
        };
      },
    },
  });
  const close = async () => {
    await engine.close(0);
    kvStore.close();
  };
  return { engine, published, pids, sent, kvStore, close };
}

export async function modelFile(alias: string, path: string): Promise<ModelFile> {
  const verdict = await examineGguf(path);
  if (!verdict.accepted || verdict.summary === null) throw new Error(`${path} is no model`);
  const { architecture, shape, vocabularySize, tokenizer, chatTemplate } = verdict.summary;
  const pooled = abilityOf(verdict.summary, null);
  if (typeof pooled === "string") throw new Error(pooled);
  return {
    alias,
    path,
    fileName: basename(path),
    sizeBytes: verdict.sizeBytes,
    createdAtMs: verdict.modifiedAtMs,
    trainedContextLength: pooled === null ? 32_768 : verdict.summary.trainedContextLength,
    pooled,
    architecture,
    shape,
    vocabularySize,
    tokenizer,
    chatTemplate,
    demo: true,
    asked: true,
    context: null,
    slots: null,
  };
}

/** A folder that is gone after the test file. */
export async function temporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "lanthorn-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Waits for a fact to become true, looking often; fails with `what` after `limitMs`, a liveness limit. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, limitMs = 25_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** True while a process of this id runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
