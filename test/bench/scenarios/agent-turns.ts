/**
 * Eight agents work at once on four slots: 2,000 shared tokens, then each its own history, which grows by what a tool
 * returned and by a short answer in each of six turns. Total time until the last turn of the last agent has ended.
 *
 * The history holds scripted answers of the length that was generated, not the generated text: random weights say
 * different things on the two servers, and text that is tokenized again need not give the same tokens. So both servers
 * see the very same prompts; neither can use the KV of its own answer.
 */
import { type ChatMessage, streamChat } from "../client.ts";
import type { Prompts } from "../prompts.ts";
import type { Contestant, Scenario } from "../scenario.ts";

const agents = 8;
const turns = 6;
const sharedTokens = 2000;
const firstOwnTokens = 60;
const addedPerTurn = 100;
const answerTokens = 24;

export const agentTurns: Scenario = {
  id: "agent-turns",
  groups: ["serve"],
  server: { model: "large", context: 4096, slots: 4, threads: 2 },
  rows: [
    {
      name: "8 agents in turns on 4 slots, 2,000 shared + own history, 6 turns: total time",
      unit: "ms",
      better: "lower",
      target: 0.7,
    },
    { name: "  prompt tokens computed for it", unit: "tokens", better: "lower", target: null },
  ],
  runs: 2,
  plan: "together",
  warmUp: async (contestant, prompts) => {
    await streamChat({
      url: contestant.url,
      model: contestant.model,
      messages: [{ role: "user", content: prompts.text(200, 1) }],
      maxTokens: 4,
    });
  },
  sample: async (contestant, prompts, seed) => {
    const system = prompts.text(sharedTokens, seed);
    const fromMs = performance.now();
    const computed = await Promise.all(
      Array.from({ length: agents }, (_, agent) => oneAgent(contestant, prompts, system, seed * 1000 + agent * 100)),
    );
    return [performance.now() - fromMs, computed.reduce((sum, tokens) => sum + tokens, 0)];
  },
};

/** Runs one agent to its end; gives the prompt tokens that were computed for it, by the server's usage. */
async function oneAgent(contestant: Contestant, prompts: Prompts, system: string, seed: number): Promise<number> {
  let computed = 0;
  const messages: ChatMessage[] = [
    { role: "system", content: system },
    { role: "user", content: prompts.text(firstOwnTokens, seed) },
  ];
  for (let turn = 0; turn < turns; turn += 1) {
    const { url, model } = contestant;
    const result = await streamChat({ url, model, messages, maxTokens: answerTokens });
    computed += result.promptTokens - result.cachedTokens;
    messages.push(
      { role: "assistant", content: prompts.text(answerTokens, seed + turn * 2 + 1) },
      { role: "user", content: prompts.text(addedPerTurn, seed + turn * 2 + 2) },
    );
  }
  return computed;
}
