/** Whether a model fits: figures of known models, and what must hold for any model on any machine. */
import { describe, expect, test } from "vitest";
import { decided, fitOf } from "../../../../server/domain/fit/fit.ts";
import type { Machine } from "../../../../server/domain/fit/machine.ts";
import { isWhole } from "../../../../server/domain/fit/place.ts";
import type { LayerShape, ModelShape } from "../../../../server/domain/fit/shape.ts";
import type { FitPlacement, FitVerdict, FitWishes, KvType } from "../../../../server/domain/fit/verdict.ts";
import { box3090, card, denseShape, gib, machineWith, mixtureShape } from "../../../support/model-shapes.ts";
import { type Random, seeded } from "../../../support/random.ts";

const wishes = (contextLength: number | null, slots = 1, kv: KvType = "f16"): FitWishes => ({
  contextLength,
  slots,
  kv,
  batchSize: 512,
});

describe("Qwen2.5-Coder 32B on a 3090", () => {
  const shape = denseShape("Qwen2.5-Coder 32B");

  test("with 8,192 tokens and one slot: weights of the published file within 1 %, KV exact, on the GPU", () => {
    const verdict = fitOf(shape, box3090, wishes(8_192));
    expect(Math.abs(verdict.bytes.weights / 19_851_335_872 - 1)).toBeLessThan(0.01);
    expect(verdict.bytes.kv).toBe(2_147_483_648);
    expect(verdict).toMatchObject({ placement: "gpu", gpuLayers: 65, totalLayers: 65, alternatives: [] });
    expect(verdict.longestContext).toBeGreaterThanOrEqual(8_192);
    expect(verdict.footprint.vramBytes).toBeLessThan(24 * gib);
  });

  test("with four slots: KV four times that, and it does not fit on the GPU; slots are given up first", () => {
    const verdict = fitOf(shape, box3090, wishes(8_192, 4));
    expect(verdict.bytes.kv).toBe(4 * 2_147_483_648);
    expect(verdict.placement).toBe("split");
    expect(verdict.gpuLayers).toBeGreaterThan(40);
    expect(verdict.reason).toContain("does not fit on the GPU as a whole");
    expect(verdict.alternatives.map(({ text }) => text)).toEqual([
      "with 2 slots",
      "with q8_0 KV",
      expect.stringMatching(/^with 4,\d{3} tokens per request$/),
    ]);
  });

  test("with little memory beside the card it fits nowhere, and the reason has the figures", () => {
    const verdict = fitOf(shape, machineWith([card("NVIDIA GeForce RTX 3060", 12)], 8), wishes(8_192));
    expect(verdict).toMatchObject({ placement: "none", gpuLayers: 0, speed: null });
    expect(verdict.reason).toMatch(/^It does not fit: .* GiB .* 11\.7 GiB are free/);
  });

  test("q8_0 KV is 34 of 64 of it", () => {
    expect(fitOf(shape, box3090, wishes(8_192, 4, "q8_0")).bytes.kv).toBe((4 * 2_147_483_648 * 34) / 64);
  });
});

describe("the table of the research, one slot as it stands there, and four and eight", () => {
  test.each([
    ["Qwen2.5-Coder 7B", denseShape("Qwen2.5-Coder 7B"), 4.36, 0.44, 32_768, 1.75, 8],
    ["Qwen2.5-Coder 14B", denseShape("Qwen2.5-Coder 14B"), 8.37, 1.5, 32_768, 6, 16],
    ["Qwen2.5-Coder 32B", denseShape("Qwen2.5-Coder 32B"), 18.49, 2, 32_768, 8, 32],
    ["DeepSeek-Coder 33B", denseShape("DeepSeek-Coder 33B"), 18.57, 1.94, 16_384, 3.88, 24],
    ["Qwen3-Coder-30B-A3B", mixtureShape("Qwen3-Coder-30B-A3B"), 17.28, 0.75, 32_768, 3, 24],
    ["gpt-oss-20b", mixtureShape("gpt-oss-20b"), 11.28, 0.38, 32_768, 1.5, 16],
  ])("%s", (_, shape, weightsGib, shortGib, long, longGib, cardGib) => {
    const empty = machineWith([card("card", 192)]);
    for (const slots of [1, 4, 8]) {
      const short = fitOf(shape, empty, wishes(8_192, slots));
      const longer = fitOf(shape, empty, wishes(long, slots));
      // Two decimals stand in the table.
      expect(Math.abs(shape.weightBytes / gib / weightsGib - 1)).toBeLessThan(0.02);
      expect(Math.abs(short.bytes.kv / gib - slots * shortGib)).toBeLessThan(0.006 * slots);
      expect(Math.abs(longer.bytes.kv / gib - slots * longGib)).toBeLessThan(0.006 * slots);
    }
    const sizes = [8, 16, 24, 32, 48, 80, 192];
    const smallest = (slots: number): number =>
      sizes.find((size) => fitOf(shape, machineWith([card("card", size)]), wishes(long, slots)).placement === "gpu") ??
      0;
    expect(smallest(1)).toBe(cardGib);
    expect(smallest(4)).toBeGreaterThan(cardGib);
    expect(smallest(8)).toBeGreaterThanOrEqual(smallest(4));
  });
});

test("a sliding window saves nothing while all of it is kept, and the reason says so", () => {
  const shape = mixtureShape("gpt-oss-20b");
  const windowed = shape.layers.filter((layer) => layer.windowTokens === 128);
  expect(windowed).toHaveLength(12);
  const verdict = fitOf(shape, machineWith([card("card", 48)]), wishes(8_192));
  expect(verdict.bytes.kv).toBe(24 * 8_192 * 2 * 512 * 2);
  expect(verdict.reason).toContain("sliding windows save no memory here");
});

test("without a wish for a length it is a sensible one, and never more than the model was trained for", () => {
  expect(fitOf(denseShape("Qwen2.5-Coder 7B"), box3090, wishes(null)).contextLength).toBe(8_192);
  const shape = { ...denseShape("Qwen2.5-Coder 7B"), trainedContextLength: 2_048 };
  expect(fitOf(shape, box3090, wishes(null)).contextLength).toBe(2_048);
});

test("the context is counted as the engine pads it", () => {
  const shape = denseShape("Qwen2.5-Coder 7B");
  expect(fitOf(shape, box3090, wishes(8_001)).bytes.kv).toBe(fitOf(shape, box3090, wishes(8_192)).bytes.kv);
  expect(fitOf(shape, box3090, wishes(8_193)).bytes.kv).toBeGreaterThan(fitOf(shape, box3090, wishes(8_192)).bytes.kv);
});

test("a model whose attention needs a table of all pairs takes it, and its KV cannot be quantized", () => {
  const shape: ModelShape = { ...denseShape("Qwen2.5-Coder 7B"), architecture: "deepseek2", flashAttention: false };
  const plain = fitOf(denseShape("Qwen2.5-Coder 7B"), box3090, wishes(8_192)).bytes.compute;
  expect(fitOf(shape, box3090, wishes(8_192)).bytes.compute - plain).toBeGreaterThan(100 * 2 ** 20);
  const refused = fitOf(shape, box3090, wishes(8_192, 1, "q8_0"));
  expect(refused).toMatchObject({ placement: "none", longestContext: 0 });
  expect(refused.reason).toContain("quantized");
  expect(refused.alternatives[0]).toMatchObject({ text: "with f16 KV", wishes: { kv: "f16" } });
});

describe("the cap", () => {
  const shape = denseShape("Qwen2.5-Coder 7B");

  test("of engine.memoryLimit counts both memories, and is named where it is what binds", () => {
    const free = fitOf(shape, box3090, wishes(8_192));
    const takes = free.footprint.ramBytes + free.footprint.vramBytes;
    expect(fitOf(shape, { ...box3090, limitBytes: takes }, wishes(8_192)).placement).toBe("gpu");
    const capped = fitOf(shape, { ...box3090, limitBytes: 3 * gib }, wishes(8_192));
    expect(capped.placement).toBe("none");
    expect(capped.reason).toContain("engine.memoryLimit is 3.0 GiB");
  });
});

describe("several GPUs, and memory that is shared", () => {
  test("two cards hold what one does not", () => {
    const shape = denseShape("Qwen2.5-Coder 32B");
    const two = machineWith([card("NVIDIA GeForce RTX 3090", 24), card("NVIDIA GeForce RTX 3090", 24)]);
    expect(fitOf(shape, two, wishes(8_192, 4)).placement).toBe("gpu");
    expect(fitOf(shape, two, wishes(8_192, 4)).reason).toContain("the 2 GPUs");
  });

  test("what a GPU takes of the machine's own memory is gone there", () => {
    const shape = denseShape("Qwen2.5-Coder 14B");
    const shared = (memoryGib: number): Machine => ({
      ...machineWith([card("Apple M3 Pro", memoryGib * 0.75, memoryGib * 0.72)], memoryGib),
      unifiedMemory: true,
    });
    expect(fitOf(shape, shared(36), wishes(8_192)).placement).toBe("gpu");
    expect(fitOf(shape, shared(12), wishes(8_192)).placement).not.toBe("gpu");
  });
});

test("the speed class follows from the bytes a token reads and where they lie", () => {
  const noGpu = machineWith([]);
  expect(fitOf(denseShape("Qwen2.5-Coder 32B"), box3090, wishes(8_192)).speed).toBe("fast");
  expect(fitOf(denseShape("Qwen2.5-Coder 32B"), noGpu, wishes(8_192)).speed).toBe("slow");
  expect(fitOf(mixtureShape("Qwen3-Coder-30B-A3B"), box3090, wishes(8_192)).speed).toBe("instant");
  expect(fitOf(mixtureShape("Qwen3-Coder-30B-A3B"), noGpu, wishes(8_192)).speed).toBe("usable");
  // A GPU in the processor reads the machine's ordinary memory, an Apple one a wide one.
  const inProcessor = { ...machineWith([card("UHD Graphics", 24, 24)], 32), unifiedMemory: true };
  expect(fitOf(denseShape("Qwen2.5-Coder 14B"), inProcessor, wishes(8_192)).speed).toBe("slow");
  expect(fitOf(denseShape("Qwen2.5-Coder 14B"), { ...inProcessor, wideMemory: true }, wishes(8_192)).speed).toBe(
    "fast",
  );
});

/** What must hold for any model, machine and wishes. */
describe("whatever is asked", () => {
  const rounds = 150;

  function anyShape(random: Random): ModelShape {
    const headLength = random.pick([64, 80, 128]);
    const heads = random.pick([8, 16, 40]);
    const width = heads * headLength;
    const headsKv = random.pick([1, 4, 8]);
    const feedForward = width * random.pick([2, 4, 6]);
    const layers = Array.from({ length: 4 + random.below(60) }, (): LayerShape => {
      const isRecurrent = random.chance(0.1);
      return {
        weightBytes: Math.round((2 * width * width + 3 * width * feedForward) * (0.5 + random.number() / 4)),
        keyWidth: isRecurrent ? 0 : headsKv * headLength,
        valueWidth: isRecurrent ? 0 : headsKv * headLength,
        windowTokens: random.chance(0.2) ? 1_024 : null,
        stateBytes: isRecurrent ? 4 * width * 128 : 0,
      };
    });
    const vocabularySize = random.pick([32_000, 151_936, 262_144]);
    const tableBytes = Math.round(vocabularySize * width * 0.6);
    const tiedOutput = random.chance(0.3);
    return {
      architecture: "any",
      trainedContextLength: random.pick([4_096, 32_768, 131_072]),
      embeddingLength: width,
      feedForwardLength: feedForward,
      headCount: heads,
      vocabularySize,
      layers,
      inputBytes: tableBytes,
      outputBytes: tableBytes,
      tiedOutput,
      activeShare: random.pick([1, 0.1]),
      weightBytes: layers.reduce((sum, layer) => sum + layer.weightBytes, (tiedOutput ? 1 : 2) * tableBytes),
      ...(random.chance(0.2) ? { expertsUsed: 8 } : {}),
      ...(random.chance(0.1) ? { flashAttention: false } : {}),
    };
  }

  function anyMachine(random: Random): Machine {
    const gpus = Array.from({ length: random.pick([0, 1, 1, 2, 3]) }, (_, index) =>
      card(`card ${index}`, random.pick([6, 8, 12, 16, 24, 48])),
    );
    const memoryGib = random.pick([8, 16, 32, 64]);
    return {
      ...machineWith(gpus, memoryGib),
      unifiedMemory: gpus.length === 1 && random.chance(0.2),
      limitBytes: random.chance(0.3) ? (2 + random.below(30)) * gib : null,
    };
  }

  const anyWishes = (random: Random): FitWishes => ({
    contextLength: random.pick([2_048, 5_000, 8_192, 32_768]),
    slots: 1 + random.below(8),
    kv: random.pick(["f16", "f16", "q8_0", "q4_0"] as const),
    batchSize: random.pick([128, 512, 2_048]),
  });

  const ranks: Readonly<Record<FitPlacement, number>> = { none: 0, cpu: 1, split: 2, gpu: 3 };

  function forAny(check: (shape: ModelShape, machine: Machine, asked: FitWishes, random: Random) => void): void {
    for (let round = 0; round < rounds; round += 1) {
      const random = seeded(1_000 + round);
      check(anyShape(random), anyMachine(random), anyWishes(random), random);
    }
  }

  test("more memory never makes the verdict worse", () => {
    const seen = new Set<FitPlacement>();
    forAny((shape, machine, asked, random) => {
      const factor = 1 + random.number();
      const grown: Machine = {
        ...machine,
        gpus: machine.gpus.map((gpu) => ({
          ...gpu,
          totalBytes: gpu.totalBytes * factor,
          freeBytes: gpu.freeBytes + gpu.totalBytes * (factor - 1),
        })),
        memoryTotalBytes: machine.memoryTotalBytes * factor,
        memoryFreeBytes: machine.memoryFreeBytes * factor,
        limitBytes: machine.limitBytes === null ? null : machine.limitBytes * factor,
      };
      const [before, after] = [fitOf(shape, machine, asked), fitOf(shape, grown, asked)];
      seen.add(before.placement);
      expect(ranks[after.placement]).toBeGreaterThanOrEqual(ranks[before.placement]);
      if (before.placement === after.placement) {
        expect(after.gpuLayers).toBeGreaterThanOrEqual(before.gpuLayers);
        expect(after.longestContext).toBeGreaterThanOrEqual(before.longestContext);
      }
    });
    // The rounds really met all of them.
    expect([...seen].sort()).toEqual(["cpu", "gpu", "none", "split"]);
  });

  test("more context and more slots never take fewer bytes", () => {
    const huge = machineWith([card("card", 4_000)], 4_000);
    forAny((shape, _, asked, random) => {
      if (shape.flashAttention === false && asked.kv !== "f16") return;
      const context = asked.contextLength ?? 0;
      const bytes = (one: FitWishes): FitVerdict["bytes"] => fitOf(shape, huge, one).bytes;
      const base = bytes(asked);
      for (const more of [
        { ...asked, contextLength: context + 1 + random.below(10_000) },
        { ...asked, slots: asked.slots + 1 + random.below(4) },
      ]) {
        const larger = bytes(more);
        expect(larger.kv).toBeGreaterThanOrEqual(base.kv);
        expect(larger.compute).toBeGreaterThanOrEqual(base.compute);
        expect(larger.weights).toBe(base.weights);
      }
    });
  });

  test("an alternative really fits, differs from the wishes, and the longest context is the longest", () => {
    let offered = 0;
    forAny((shape, machine, asked) => {
      const verdict = fitOf(shape, machine, asked);
      expect(verdict.alternatives.length > 0 && isWhole(machine, verdict.placement)).toBe(false);
      for (const alternative of verdict.alternatives) {
        offered += 1;
        expect(alternative.wishes).not.toEqual(decided(shape, asked));
        expect(alternative.text).toMatch(/^with .+/);
        expect(isWhole(machine, fitOf(shape, machine, alternative.wishes).placement)).toBe(true);
      }
      if (verdict.placement === "none" || verdict.longestContext === 0) return;
      const at = (contextLength: number): number => ranks[fitOf(shape, machine, { ...asked, contextLength }).placement];
      expect(at(verdict.longestContext)).toBeGreaterThanOrEqual(ranks[verdict.placement]);
      const most = Math.max(shape.trainedContextLength, asked.contextLength ?? 0);
      if (verdict.longestContext < most)
        expect(at(verdict.longestContext + 256)).toBeLessThan(ranks[verdict.placement]);
    });
    expect(offered).toBeGreaterThan(50);
  });

  test("a sum is the sum of its parts, and a model takes no more than there is", () => {
    forAny((shape, machine, asked) => {
      const { bytes, footprint, placement } = fitOf(shape, machine, asked);
      expect(bytes.total).toBe(bytes.weights + bytes.kv + bytes.compute + bytes.margin);
      if (placement === "none") return;
      expect(footprint.ramBytes).toBeLessThan(machine.memoryFreeBytes);
      expect(footprint.vramBytes).toBeLessThanOrEqual(machine.gpus.reduce((sum, gpu) => sum + gpu.freeBytes, 0));
      if (machine.limitBytes !== null)
        expect(footprint.ramBytes + footprint.vramBytes).toBeLessThanOrEqual(machine.limitBytes);
    });
  });
});
