import { beforeAll, describe, expect, test } from "vitest";
import {
  chooseContext,
  chooseOnePieceContext,
  chooseThreads,
  type HostPorts,
  ModelHost,
} from "../../../../server/backends/engine/model-host.ts";
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
      kvStore: { placeOf: async () => null },
      clock,
      startWorker,
      log: silentLog,
      publish: () => {},
    };
    return { clock, started: () => started, host: new ModelHost(someModel, testSettings, ports) };
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
