/**
 * Two keys ask for more than there is, one with prompts of 4,000 tokens, one of 40, answers of 16 each. After half a minute a
 * minute is measured: who got how many tokens computed, prompts and answers, by the usage of the answers that ended in it, and
 * where the server tells by what its slots hold of the others. A server that knows no callers serves whoever asks for more.
 */
import { setTimeout as delay } from "node:timers/promises";
import { streamChat } from "../client.ts";
import type { Prompts } from "../prompts.ts";
import type { Contestant, Scenario } from "../scenario.ts";

const slots = 4;
/** Requests each key keeps in flight: more than there are slots, so that both always wait. */
const inFlight = slots + 2;
const promptTokens = { long: 4_000, short: 40 } as const;
const answerTokens = 16;
const settlingMs = 30_000;
const measuredMs = 60_000;

export const fairness: Scenario = {
  id: "fairness",
  groups: ["serve"],
  server: { model: "small", context: 8_192, slots, threads: 1 },
  rows: [
    {
      name: "two saturating keys, prompts of 4,000 and 40 tokens: tokens of one over the other's, larger over smaller",
      unit: "×",
      better: "lower",
      target: 1.25,
      absolute: true,
    },
    { name: "the same: tokens of both", unit: "tok/s", better: "higher", target: null },
  ],
  runs: 1,
  plan: "apart",
  peerOptional: true,
  warmUp: async ({ url, model }, prompts) => {
    await streamChat({ url, model, messages: [{ role: "user", content: prompts.text(40, 1) }], maxTokens: 1 });
  },
  sample,
};

async function sample(contestant: Contestant, prompts: Prompts, seed: number): Promise<readonly number[]> {
  const names = [`long ${seed}`, `short ${seed}`];
  const [longKey, shortKey] = await contestant.keys(names);
  const leaving = new AbortController();
  const long = saturate(contestant, prompts, longKey ?? null, promptTokens.long, seed * 1e6, leaving.signal);
  const short = saturate(contestant, prompts, shortKey ?? null, promptTokens.short, seed * 1e6 + 5e5, leaving.signal);
  const computed = async (): Promise<readonly [number, number]> => {
    const [longSlots = 0, shortSlots = 0] = await contestant.slotTokens(names);
    return [long.tokens() + longSlots, short.tokens() + shortSlots];
  };
  try {
    await Promise.race([delay(settlingMs), long.over, short.over]);
    const before = await computed();
    await Promise.race([delay(measuredMs), long.over, short.over]);
    const after = await computed();
    const served = [after[0] - before[0], after[1] - before[1]] as const;
    return [Math.max(...served) / Math.min(...served), (served[0] + served[1]) / (measuredMs / 1_000)];
  } finally {
    leaving.abort();
    await Promise.allSettled([long.over, short.over]);
  }
}

interface Load {
  /** Computed for answers that have ended. */
  tokens(): number;
  /** Settles when it was told to leave; rejects when a request fails before. */
  readonly over: Promise<unknown>;
}

function saturate(
  contestant: Contestant,
  prompts: Prompts,
  key: string | null,
  tokensEach: number,
  firstSeed: number,
  leaving: AbortSignal,
): Load {
  const { url, model } = contestant;
  let asked = 0;
  let tokens = 0;
  const loop = async () => {
    while (!leaving.aborted) {
      asked += 1;
      const content = prompts.text(Math.max(1, tokensEach - prompts.overheadTokens), firstSeed + asked);
      const messages = [{ role: "user", content }] as const;
      const result = await streamChat({ url, model, messages, maxTokens: answerTokens, key, signal: leaving });
      if (!leaving.aborted) tokens += result.promptTokens - result.cachedTokens + result.completionTokens;
    }
  };
  const over = Promise.all(Array.from({ length: inFlight }, loop)).catch((thrown: unknown) => {
    if (!leaving.aborted) throw thrown;
  });
  return { tokens: () => tokens, over };
}
