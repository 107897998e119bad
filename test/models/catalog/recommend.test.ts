/** What is recommended on which machine, and that more memory never makes the first choice smaller. */
import { describe, expect, test } from "vitest";
import { type Fit, type RecommendPurpose, recommend, recommendPurposes } from "../../../models/catalog/recommend.ts";
import { RandomSource } from "../../../models/random/numbers.ts";
import { fitOf as commandFit } from "../../../server/domain/fit/fit.ts";
import { recommendText, shownRecommendation } from "../../../server/cli/models/recommend.ts";
import type { Machine } from "../../../server/domain/fit/machine.ts";
import { type MachineName, machines } from "../../support/fit-machines.ts";
import { diceOf } from "../../support/mutate.ts";
import { simpleFit } from "../../support/simple-fit.ts";

function ids(machine: Machine, purpose: RecommendPurpose = "coding"): string[] {
  return recommend({ purpose, machine, fitOf: simpleFit }).map(({ entry }) => entry.id);
}

function reasons(name: MachineName, purpose: RecommendPurpose): Record<string, string> {
  const found = recommend({ purpose, machine: machines[name], fitOf: simpleFit });
  return Object.fromEntries(found.map(({ entry, reason }) => [entry.id, reason]));
}

describe("the first choice", () => {
  test.each([
    ["CPU, 8 GB", "coding", "qwen2.5-coder-1.5b-instruct"],
    ["CPU, 64 GB", "coding", "qwen3-coder-30b-a3b-instruct"],
    ["8 GB", "coding", "qwen3-coder-30b-a3b-instruct"],
    ["24 GB", "coding", "qwen2.5-coder-32b-instruct"],
    ["2x24 GB", "coding", "qwen2.5-coder-32b-instruct"],
    ["48 GB", "chat", "llama-3.1-70b-instruct"],
    ["M, 36 GB", "coding", "qwen2.5-coder-32b-instruct"],
    ["24 GB", "autocomplete", "qwen2.5-coder-7b-instruct"],
    ["CPU, 8 GB", "embeddings", "qwen3-embedding-0.6b"],
  ] as const)("%s for %s is %s", (name, purpose, expected) => {
    expect(ids(machines[name], purpose)[0]).toBe(expected);
  });

  test("a model that a smaller one beats comes behind all that none does", () => {
    const order = ids(machines["80 GB"]);
    expect(order.indexOf("deepseek-coder-33b-instruct")).toBeGreaterThan(order.indexOf("qwen2.5-coder-0.5b-instruct"));
    expect(order.indexOf("qwen2.5-coder-32b-instruct")).toBe(0);
  });

  test("nothing fits nowhere", () => {
    const tiny = { ...machines["CPU, 8 GB"], memoryFreeBytes: 100 * 2 ** 20 };
    expect(recommendPurposes.map((purpose) => ids(tiny, purpose))).toEqual([[], [], [], []]);
  });

  test("engine.memoryLimit counts", () => {
    const limited = { ...machines["80 GB"], limitBytes: 8 * 2 ** 30 };
    expect(ids(limited)[0]).toBe("qwen2.5-coder-7b-instruct");
  });
});

describe("the reason", () => {
  test("says where, with how many slots, and what it is known for", () => {
    const found = reasons("24 GB", "coding");
    expect(found["qwen2.5-coder-7b-instruct"]).toBe("fits on the GPU with 4 slots of 8,192 tokens; 88.4 % HumanEval");
    expect(found["qwen2.5-coder-32b-instruct"]).toBe("fits on the GPU with 2 slots of 8,192 tokens; 92.7 % HumanEval");
    expect(found["qwen2.5-coder-3b-instruct"]).toMatch(/84\.1 % HumanEval; licence qwen-research must be accepted$/);
  });

  test("says slowly where it is slow, and by its size where no more is known", () => {
    expect(reasons("CPU, 64 GB", "chat")["llama-3.1-70b-instruct"]).toMatch(
      /^fits on the CPU with .* tokens, slowly; /,
    );
    expect(reasons("24 GB", "coding")["devstral-small-2507"]).toBe(
      "fits on the GPU by its size; its KV is not known before its header is read",
    );
  });

  test("is one line for every model on every machine", () => {
    let lines = 0;
    for (const machine of Object.values(machines)) {
      for (const purpose of recommendPurposes) {
        const found = recommend({ purpose, machine, fitOf: simpleFit });
        for (const { reason, verdict } of found) {
          expect(reason).toMatch(/^fits (on the GPU|on the CPU|with \d+ of \d+ layers on the GPU)[^\n]{3,160}$/);
          expect(verdict.placement).not.toBe("none");
          lines += 1;
        }
      }
    }
    expect(lines).toBeGreaterThan(200);
  });
});

test("the command's table has the first choice's next step, with the licence where it must be accepted", () => {
  const text = (name: MachineName, purpose: RecommendPurpose) =>
    recommendText(purpose, recommend({ purpose, machine: machines[name], fitOf: simpleFit }).map(shownRecommendation));
  expect(text("24 GB", "coding").split("\n").at(-1)).toBe("next   lanthorn models pull qwen2.5-coder-32b-instruct");
  expect(text("48 GB", "chat").split("\n").at(-1)).toBe(
    "next   lanthorn models pull llama-3.1-70b-instruct --accept-license",
  );
  expect(text("48 GB", "chat")).toMatch(/^MODEL +SIZE +SPEED +LICENCE +WHY$/m);
  expect(recommendText("chat", [])).toBe("No model of the catalog for chat fits this machine.");
});

describe("more memory never makes the first choice smaller", () => {
  const gib = 2 ** 30;

  /** Every choice that got smaller, and how many changed, over random machines that are each grown once. */
  function growth(fitOf: Fit, count: number): { readonly smaller: readonly string[]; readonly changed: number } {
    const dice = diceOf(new RandomSource(4_2026));
    /** As likely between 4 and 8 GiB as between 32 and 64. */
    const size = (least: number, most: number): number => gib * least * (most / least) ** (dice.below(1000) / 1000);
    const gpuOf = (freeBytes: number) => ({ name: "x", totalBytes: Math.round(freeBytes / 0.95), freeBytes });
    const randomMachine = (): Machine => {
      const gpuCount = dice.below(4);
      const unifiedMemory = gpuCount > 0 && dice.below(4) === 0;
      const memoryFreeBytes = size(1, 256);
      const gpus = Array.from({ length: unifiedMemory ? 1 : gpuCount }, () =>
        gpuOf(unifiedMemory ? memoryFreeBytes * 0.75 : size(3, 96)),
      );
      const limitBytes = dice.below(5) === 0 ? size(1, 96) : null;
      return { gpus, unifiedMemory, memoryTotalBytes: memoryFreeBytes, memoryFreeBytes, limitBytes };
    };
    const grown = (machine: Machine): Machine => {
      const factor = 1 + dice.below(300) / 100;
      const more = (bytes: number): number => Math.round(bytes * factor);
      const gpus = machine.gpus.map((gpu) => gpuOf(more(gpu.freeBytes)));
      const memoryFreeBytes = more(machine.memoryFreeBytes);
      switch (dice.below(machine.unifiedMemory ? 2 : 5)) {
        case 0:
          return { ...machine, gpus, memoryFreeBytes };
        case 1:
          return { ...machine, limitBytes: machine.limitBytes === null ? null : more(machine.limitBytes) };
        case 2:
          return { ...machine, memoryFreeBytes };
        case 3:
          return { ...machine, gpus };
        default:
          // A card with room on it: one that is full of something else, or tiny, takes the engine's buffers from the others.
          return { ...machine, gpus: [...machine.gpus, gpuOf(size(4, 96))] };
      }
    };
    const smaller: string[] = [];
    let changed = 0;
    for (let index = 0; index < count; index += 1) {
      const purpose = dice.pick(recommendPurposes);
      const machine = randomMachine();
      const after = grown(machine);
      const [before] = recommend({ purpose, machine, fitOf });
      const [now] = recommend({ purpose, machine: after, fitOf });
      if (before !== undefined && (now?.bytes ?? 0) < before.bytes)
        smaller.push(`${purpose}: ${before.entry.id} → ${now?.entry.id} ${JSON.stringify([machine, after])}`);
      if (now?.entry !== before?.entry) changed += 1;
    }
    return { smaller, changed };
  }

  test.each([
    ["plain arithmetic", simpleFit, 3_000],
    ["the judge of the command", commandFit, 200],
  ] as const)("by %s", (_, fitOf, count) => {
    const { smaller, changed } = growth(fitOf, count);
    expect(smaller).toEqual([]);
    // The machines do differ.
    expect(changed).toBeGreaterThan(count / 10);
  });
});
