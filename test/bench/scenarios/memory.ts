/**
 * Memory with four slots, and whether it grows. Both are proportional set sizes summed over the server's process tree,
 * measured while no other server maps the same model file.
 */
import { streamChat } from "../client.ts";
import { memoryBytesOf } from "../processes.ts";
import type { Prompts } from "../prompts.ts";
import type { Contestant, Scenario, ServerShape } from "../scenario.ts";

const slots = 4;
const shape: ServerShape = { model: "large", context: 2048, slots, threads: 2 };
const mebibyte = 1024 * 1024;
/** Memory is read after the first 200 requests, when caches and heaps have their size, and 2,000 requests later. */
const settlingRequests = 200;
const growthRequests = 2000;

export const memory: Scenario = {
  id: "memory",
  groups: ["serve"],
  server: shape,
  rows: [{ name: "memory of server and worker, 4 slots", unit: "MiB", better: "lower", target: 1.6 }],
  runs: 3,
  plan: "apart",
  warmUp: async () => {},
  sample: async (contestant, prompts, seed) => {
    // Every slot has held a prompt of 1,000 tokens and made an answer: all buffers have been touched.
    await together(
      contestant,
      prompts,
      Array.from({ length: slots }, (_, index) => seed * 100 + index),
      900,
      64,
    );
    return [memoryBytesOf(contestant.pid) / mebibyte];
  },
};

export const memoryGrowth: Scenario = {
  id: "memory-growth",
  groups: ["serve", "step"],
  server: shape,
  rows: [
    {
      name: "memory after 2,200 requests / after 200",
      unit: "x",
      better: "lower",
      target: 1.05,
    },
  ],
  runs: 1,
  plan: "ours",
  warmUp: async () => {},
  sample: async (contestant, prompts) => {
    await shortRequests(contestant, prompts, 0, settlingRequests);
    const settledBytes = memoryBytesOf(contestant.pid);
    await shortRequests(contestant, prompts, settlingRequests, growthRequests);
    return [memoryBytesOf(contestant.pid) / settledBytes];
  },
};

/** `count` requests, four at a time, each with a new end of its prompt and two tokens of answer. */
async function shortRequests(contestant: Contestant, prompts: Prompts, from: number, count: number): Promise<void> {
  for (let index = from; index < from + count; index += slots) {
    await together(
      contestant,
      prompts,
      Array.from({ length: slots }, (_, slot) => index + slot),
      8,
      2,
    );
  }
}

async function together(
  contestant: Contestant,
  prompts: Prompts,
  seeds: readonly number[],
  promptTokens: number,
  maxTokens: number,
): Promise<void> {
  await Promise.all(
    seeds.map((seed) =>
      streamChat({
        url: contestant.url,
        model: contestant.model,
        messages: [{ role: "user", content: prompts.text(promptTokens, seed) }],
        maxTokens,
      }),
    ),
  );
}
