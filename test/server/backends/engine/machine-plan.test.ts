/** A load as this machine allows it, and what is learnt from it. */
import { describe, expect, test } from "vitest";
import { machinePlan } from "../../../../server/backends/engine/machine-plan.ts";
import { noCorrections } from "../../../../server/domain/fit/corrections.ts";
import type { Machine } from "../../../../server/domain/fit/machine.ts";
import type { ModelFile } from "../../../../server/domain/ports.ts";
import { catalogEntry } from "../../../../models/catalog/catalog.ts";
import { shapeOfEntry } from "../../../../models/catalog/entry-shape.ts";
import { silentLog } from "../../../support/real-engine.ts";

const gib = 2 ** 30;
const shape = (() => {
  const entry = catalogEntry("qwen2.5-coder-32b-instruct");
  const found = entry === null ? null : shapeOfEntry(entry);
  if (found === null) throw new Error("the catalog has this model");
  return found;
})();

const file = {
  alias: "coder",
  architecture: "qwen2",
  sizeBytes: shape.weightBytes,
  trainedContextLength: shape.trainedContextLength,
  shape,
  pooled: null,
  context: null,
  slots: null,
} as ModelFile;

const boxWith3090: Machine = {
  gpus: [{ name: "RTX 3090", totalBytes: 24 * gib, freeBytes: 23.6 * gib }],
  unifiedMemory: false,
  memoryTotalBytes: 64 * gib,
  memoryFreeBytes: 60 * gib,
  limitBytes: null,
};

function planner(machine: Machine | null, noted: unknown[] = []) {
  return machinePlan({
    settings: { context: null, slots: 4, batchSize: 512 },
    machine: () => machine,
    lessons: { correctionsFor: () => noCorrections, note: (...lesson) => noted.push(lesson) },
    log: silentLog,
  });
}

describe("a 32B model", () => {
  test("on a 3090 gives slots up before context, and all of it is on the GPU", () => {
    const plan = planner(boxWith3090).plan(file);
    expect(plan).toMatchObject({ type: "load", placement: "gpu", contextLength: 8192, slots: 2 });
  });

  test("without a GPU is loaded into memory that has room for it", () => {
    expect(planner({ ...boxWith3090, gpus: [] }).plan(file)).toMatchObject({
      placement: "cpu",
      gpuLayers: 0,
      slots: 4,
    });
  });

  test("in a machine too small for it is refused with the figures", () => {
    const small = { ...boxWith3090, gpus: [], memoryTotalBytes: 16 * gib, memoryFreeBytes: 14 * gib };
    expect(planner(small).plan(file)).toMatchObject({ type: "refuse", reason: expect.stringMatching(/GiB/) });
  });

  test("before the hardware was looked at is placed by the engine itself, so that no GPU is left out", () => {
    expect(planner(null).plan(file)).toMatchObject({ type: "load", gpuLayers: null });
  });
});

test("a load teaches the difference between what was promised and what was taken", () => {
  const noted: unknown[] = [];
  const { plan, learn } = planner({ ...boxWith3090, gpus: [] }, noted);
  const chosen = plan(file);
  if (chosen.type !== "load") throw new Error("it fits");
  learn(file, chosen, { weights: 1, kv: 2, compute: 3 });
  expect(noted).toEqual([
    ["qwen2", expect.objectContaining({ weights: shape.weightBytes, kv: 8 * gib }), { weights: 1, kv: 2, compute: 3 }],
  ]);
});
