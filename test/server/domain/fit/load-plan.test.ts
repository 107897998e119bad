/** How a model is loaded: slots are given up before context, context only where nobody asked for a length. */
import { describe, expect, test } from "vitest";
import { loadPlan, planFor } from "../../../../server/domain/fit/load-plan.ts";
import type { FitWishes } from "../../../../server/domain/fit/verdict.ts";
import { box3090, card, denseShape, gib, machineWith } from "../../../support/model-shapes.ts";

const wishes: FitWishes = { contextLength: null, slots: 4, kv: "f16", batchSize: 512 };
const big = denseShape("Qwen2.5-Coder 32B");

describe("on a 3090", () => {
  test("what fits is loaded as wished", () => {
    expect(loadPlan(denseShape("Qwen2.5-Coder 7B"), box3090, wishes)).toMatchObject({
      type: "load",
      contextLength: 8_192,
      slots: 4,
      gpuLayers: 29,
      placement: "gpu",
      reason: expect.stringMatching(/^It fits on the NVIDIA GeForce RTX 3090: [\d.]+ GiB of 23\.7 GiB free there\.$/),
    });
  });

  test("slots are given up, the context is kept, and the reason says it", () => {
    expect(loadPlan(big, box3090, wishes)).toMatchObject({
      type: "load",
      contextLength: 8_192,
      slots: 2,
      placement: "gpu",
      reason: expect.stringMatching(/Given up for that: 2 slots instead of 4\.$/),
    });
  });

  test("where one slot is too much, context is given up that nobody asked for", () => {
    const box = machineWith([card("NVIDIA GeForce RTX 3090", 24, 21.2)]);
    expect(loadPlan(big, box, wishes)).toMatchObject({
      type: "load",
      contextLength: 4_096,
      slots: 1,
      placement: "gpu",
    });
  });

  test("a length that somebody asked for is kept, also where layers must go to the CPU then", () => {
    const box = machineWith([card("NVIDIA GeForce RTX 3090", 24, 21.2)]);
    expect(loadPlan(big, box, { ...wishes, contextLength: 16_384 })).toMatchObject({
      type: "load",
      contextLength: 16_384,
      slots: 4,
      placement: "split",
      reason: expect.stringContaining("does not fit on the GPU as a whole"),
    });
  });
});

test("what fits nowhere is refused, with what it takes at least", () => {
  const refused = loadPlan(big, machineWith([], 16), { ...wishes, contextLength: 8_192 });
  expect(refused).toMatchObject({ type: "refuse", reason: expect.stringMatching(/^It does not fit: it takes/) });
  expect(refused.footprint.ramBytes).toBeGreaterThan(20 * gib);
});

test("without a GPU the engine is told so, and keeps all slots that fit", () => {
  expect(loadPlan(denseShape("Qwen2.5-Coder 7B"), machineWith([], 16), wishes)).toMatchObject({
    type: "load",
    placement: "cpu",
    gpuLayers: 0,
    slots: 4,
  });
});

test("a model that makes vectors has one context, in which its slots take turns", () => {
  const shape = denseShape("Qwen2.5-Coder 7B");
  const pooled = {
    capability: "embeddings",
    embeddingLength: 3_584,
    pooling: "last",
    inOnePiece: false,
    vocabularySize: 152_064,
    scoresAreProbabilities: false,
  } as const;
  const one = loadPlan(shape, box3090, { ...wishes, slots: 1, contextLength: 8_192 });
  const plan = planFor({ shape, pooled }, box3090, { ...wishes, contextLength: 8_192 });
  expect(plan).toMatchObject({ type: "load", slots: 4, footprint: one.footprint });
});
