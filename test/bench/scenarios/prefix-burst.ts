/**
 * Eight agents of one team start at once: the same new system prompt of 1,000 tokens, a task of their own, four slots. The
 * time until the last answer has ended. A server that shares a prefix between slots computes it once instead of four times.
 */
import { streamChat } from "../client.ts";
import type { Prompts } from "../prompts.ts";
import type { Contestant, Scenario } from "../scenario.ts";

const agents = 8;
const prefixTokens = 1000;
const ownTokens = 20;
const answerTokens = 16;

export const prefixBurst: Scenario = {
  id: "prefix-burst",
  groups: ["serve", "step"],
  server: { model: "large", context: 2048, slots: 4, threads: 2 },
  rows: [
    {
      name: "8 agents, same new 1,000-token prefix, burst on 4 slots: makespan",
      unit: "ms",
      better: "lower",
      target: 0.4,
    },
    { name: "  prompt tokens computed for it", unit: "tokens", better: "lower", target: null },
  ],
  runs: 3,
  plan: "together",
  warmUp: async (contestant, prompts) => {
    await streamChat({
      url: contestant.url,
      model: contestant.model,
      messages: [{ role: "user", content: prompts.text(200, 1) }],
      maxTokens: 4,
    });
  },
  sample: burst,
};

async function burst(contestant: Contestant, prompts: Prompts, seed: number): Promise<readonly number[]> {
  const system = prompts.text(prefixTokens, seed);
  const results = await Promise.all(
    Array.from({ length: agents }, (_, agent) =>
      streamChat({
        url: contestant.url,
        model: contestant.model,
        messages: [
          { role: "system", content: system },
          { role: "user", content: prompts.text(ownTokens, seed * 100 + agent) },
        ],
        maxTokens: answerTokens,
      }),
    ),
  );
  const fromMs = Math.min(...results.map((result) => result.sentAtMs));
  const computed = results.reduce((sum, result) => sum + result.promptTokens - result.cachedTokens, 0);
  return [Math.max(...results.map((result) => result.endedAtMs)) - fromMs, computed];
}
