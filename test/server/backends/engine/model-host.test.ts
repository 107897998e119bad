import { beforeAll, describe, expect, test } from "vitest";
import {
  chooseContext,
  chooseOnePieceContext,
  chooseThreads,
  simplePlan,
} from "../../../../server/backends/engine/load-plan.ts";
import { type HostKeeper, type HostPorts, ModelHost } from "../../../../server/backends/engine/model-host.ts";
import type { StartWorker } from "../../../../server/backends/engine/worker-link.ts";
import type { Failure } from "../../../../server/domain/failure.ts";
import type { Clock, ModelFile } from "../../../../server/domain/ports.ts";
import { smallModel, writeGgufParts } from "../../../support/gguf-bytes.ts";
import { type ManualClock, manualClock } from "../../../support/manual-clock.ts";
import { modelFile, silentLog, temporaryFolder, testSettings } from "../../../support/real-engine.ts";

const mebibyte = 2 ** 20;

describe("what nobody asked for is chosen", () => {
  test("threads: one for a tiny model, a core left to HTTP on a machine that has more than two", () => {
    expect(chooseThreads(3 * mebibyte, 16)).toBe(1);
    expect(chooseThreads(400 * mebibyte, 2)).toBe(2);
    expect(chooseThreads(400 * mebibyte, 16)).toBe(15);
  });

  test("context: what the model was trained for, within what a desktop has memory for", () => {
    expect(chooseContext(null, 4_096, 4_000 * mebibyte)).toBe(4_096);
    expect(chooseContext(null, 131_072, 4_000 * mebibyte)).toBe(8_192);
    expect(chooseContext(null, 131_072, 3 * mebibyte)).toBe(32_768);
    expect(chooseContext(65_536, 32_768, 4_000 * mebibyte)).toBe(65_536);
  });

  test("context of what is computed in one step: never past what was trained, within a gibibyte of outputs", () => {
    expect(chooseOnePieceContext(null, 512, 30_522)).toBe(512);
    expect(chooseOnePieceContext(null, 32_768, 30_522)).toBe(8_192);
    expect(chooseOnePieceContext(null, 8_192, 250_002)).toBe(1_073);
    expect(chooseOnePieceContext(4_096, 8_192, 250_002)).toBe(4_096);
    expect(chooseOnePieceContext(4_096, 512, 30_522)).toBe(512);
  });
});

/** A clock whose wall time a person may set, and time that only goes on. */
function settableClock(): Clock & { wallMs: number; readonly manual: ManualClock } {
  const manual = manualClock();
  const clock = {
    manual,
    wallMs: 0,
    now: () => manual.now() + clock.wallMs,
    monotonicMs: manual.monotonicMs,
    after: manual.after,
  };
  return clock;
}

let someModel: ModelFile;
beforeAll(async () => {
  const folder = await temporaryFolder();
  someModel = await modelFile("small", writeGgufParts(folder.path, "small.gguf", smallModel));
  await folder.remove();
});

/** Nobody pins it, waits for it or unloads it. */
const keeper: HostKeeper = {
  lost: () => {},
  about: () => ({ pinned: false, waiting: 0, waitsFor: null, unloadsAtMs: null }),
};

describe.each([86_400_000, -86_400_000])("a wall clock set by %i ms", (jumpMs) => {
  /** Every worker started so far; each refuses its model, or dies, as a test says. */
  function host(outcome: "refuses" | "dies") {
    const clock = settableClock();
    let started = 0;
    const startWorker: StartWorker = (handlers) => {
      started += 1;
      return {
        pid: started,
        send: ({ type }) => {
          if (type !== "load") return true;
          if (outcome === "dies") queueMicrotask(() => handlers.onExit("exit code 1"));
          else queueMicrotask(() => handlers.onMessage({ type: "load-failed", message: "no" }));
          return true;
        },
        kill: () => {},
      };
    };
    const preparer = {} as HostPorts["preparer"];
    const ports = {
      preparer,
      plan: simplePlan(testSettings),
      kvStore: { placeOf: async () => null },
      clock,
      startWorker,
      log: silentLog,
      publish: () => {},
    };
    return { clock, started: () => started, host: new ModelHost(someModel, testSettings, ports, keeper) };
  }

  test("a model that could not be loaded may be tried again after its time, not a day later or at once", async () => {
    const { host: model, clock, started } = host("refuses");
    await expect(model.ready()).rejects.toMatchObject({ code: "model_unavailable", retryAfterSeconds: 30 });
    clock.wallMs = jumpMs;
    await expect(model.ready()).rejects.toMatchObject({ code: "model_unavailable", retryAfterSeconds: 30 });
    expect(started()).toBe(1);
    clock.manual.advance(30_001);
    await expect(model.ready()).rejects.toMatchObject({ code: "model_unavailable" });
    expect(started()).toBe(2);
  });

  test("a worker that died is back after its delay", async () => {
    const { host: model, clock, started } = host("dies");
    await expect(model.ready()).rejects.toMatchObject({ code: "worker_died" });
    clock.wallMs = jumpMs;
    const again = model.ready();
    const outcome = again.catch((failure: Failure) => failure.code);
    expect(started()).toBe(1);
    clock.manual.advance(251);
    expect(await outcome).toBe("worker_died");
    expect(started()).toBe(2);
  });
});

describe("a model that was promised a GPU", () => {
  /** A worker that loads on whatever a test says, over a promise that a test keeps or breaks. */
  function promised() {
    const manual = manualClock();
    const world = { gpu: "cuda", lost: null as string | null, promised: true, missed: 0, started: 0, killed: 0 };
    const startWorker: StartWorker = (handlers) => {
      world.started += 1;
      const { gpu } = world;
      return {
        pid: world.started,
        send: ({ type }) => {
          const size = { contextLength: 2_048, slots: 2, vocabularySize: 1, memory: null };
          const loaded = { type: "loaded", ...size, gpu } as const;
          if (type === "load") queueMicrotask(() => handlers.onMessage(loaded));
          if (type === "shutdown") queueMicrotask(() => handlers.onExit("exit code 0"));
          return true;
        },
        kill: () => {
          world.killed += 1;
          queueMicrotask(() => handlers.onExit("killed by SIGKILL"));
        },
      };
    };
    const gpus: NonNullable<HostPorts["gpus"]> = {
      isPromised: () => world.promised,
      lost: () => (world.lost === null ? null : { reason: world.lost, retryAfterMs: 2_000 }),
      missed: () => {
        world.missed += 1;
      },
    };
    const preparer = {} as HostPorts["preparer"];
    const ports = {
      preparer,
      plan: simplePlan(testSettings),
      kvStore: { placeOf: async () => null },
      clock: manual,
      startWorker,
      log: silentLog,
      publish: () => {},
      gpus,
    };
    return { world, manual, model: new ModelHost(someModel, testSettings, ports, keeper) };
  }

  test("is refused with the reason while it is lost, before and after it was loaded, and served again when it is back", async () => {
    const { world, model } = promised();
    world.lost = "its GPU is lost: RTX 3090 does not answer any more";
    const refusal = {
      code: "model_unavailable",
      message: '"small" cannot answer: its GPU is lost: RTX 3090 does not answer any more.',
      retryAfterSeconds: 2,
    };
    await expect(model.ready()).rejects.toMatchObject(refusal);
    expect(world.started).toBe(0);
    world.lost = null;
    const link = await model.ready();
    world.lost = "its GPU is lost: RTX 3090 does not answer any more";
    await expect(model.ready()).rejects.toMatchObject(refusal);
    world.lost = null;
    expect(await model.ready()).toBe(link);
    expect(world).toMatchObject({ started: 1, killed: 0 });
  });

  test("and whose worker found none is an error, not a slow answer; it is tried again soon", async () => {
    const { world, model, manual } = promised();
    world.gpu = "cpu";
    const refusal = {
      code: "model_unavailable",
      message: '"small" cannot answer: its process found no GPU where one was promised.',
      retryAfterSeconds: 5,
    };
    await expect(model.ready()).rejects.toMatchObject(refusal);
    expect(world).toMatchObject({ started: 1, killed: 1, missed: 1 });
    await expect(model.ready()).rejects.toMatchObject(refusal);
    expect(world.started).toBe(1);
    world.gpu = "cuda";
    manual.advance(5_001);
    expect((await model.ready()).alive).toBe(true);
    expect(world.started).toBe(2);
  });

  test("a worker that was on the CPU before the promise was known is replaced", async () => {
    const { world, model, manual } = promised();
    Object.assign(world, { gpu: "cpu", promised: false });
    await model.ready();
    Object.assign(world, { gpu: "cuda", promised: true });
    await expect(model.ready()).rejects.toMatchObject({ code: "model_unavailable" });
    await Promise.resolve();
    const again = model.ready();
    manual.advance(251);
    expect((await again).alive).toBe(true);
    expect(world).toMatchObject({ started: 2, killed: 1 });
  });
});
