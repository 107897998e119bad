/**
 * An agent with a conversation of 2,000 tokens comes back after the server was stopped and started again. Its time to first
 * token over the cold one, and the same with the store emptied in between, as the control. Loading is not counted.
 */
import { type ChatMessage, streamChat, ttftMs } from "../client.ts";
import { expectPromptTokens } from "../prompts.ts";
import type { Contestant, Scenario } from "../scenario.ts";

const conversationTokens = 2_000;
const answerTokens = 16;

export const returning: Scenario = {
  id: "return",
  groups: ["step"],
  server: { model: "large", context: 4_096, slots: 2, threads: 2 },
  rows: [
    { name: "TTFT of a returning 2,000-token agent after a restart / cold", unit: "x", better: "lower", target: 0.2 },
    { name: "  the same with the store emptied (control: 1)", unit: "x", better: "lower", target: null },
    { name: "  cold TTFT", unit: "ms", better: "lower", target: null },
    { name: "  returning TTFT", unit: "ms", better: "lower", target: null },
  ],
  runs: 3,
  plan: "ours",
  warmUp: async () => {},
  sample: async (contestant, prompts, seed) => {
    if (contestant.restart === undefined) throw new Error(`${contestant.name} cannot be restarted`);
    // Each of the three is the first request of a process that has just loaded its model.
    await contestant.restart({ emptied: true });
    const first = [{ role: "user", content: prompts.text(conversationTokens, seed) }] as const;
    const cold = await turn(contestant, first);
    expectPromptTokens(contestant.name, cold.promptTokens, conversationTokens);
    const second = [
      ...first,
      { role: "assistant", content: cold.text },
      { role: "user", content: prompts.text(20, seed + 1) },
    ] as const;
    await contestant.restart({ emptied: false });
    const back = await turn(contestant, second);
    if (back.cachedTokens < conversationTokens * 0.9)
      throw new Error(`only ${back.cachedTokens} tokens were found again`);
    await contestant.restart({ emptied: true });
    const control = await turn(contestant, second);
    if (control.cachedTokens > 0) throw new Error(`the store was empty, but ${control.cachedTokens} tokens were found`);
    const coldMs = ttftMs(cold);
    return [ttftMs(back) / coldMs, ttftMs(control) / coldMs, coldMs, ttftMs(back)];
  },
};

function turn({ url, model }: Contestant, messages: readonly ChatMessage[]) {
  return streamChat({ url, model, messages, maxTokens: answerTokens });
}
