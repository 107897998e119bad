/** Time to first token: a new prompt of 1,000 tokens, then the same prompt with 20 more tokens at its end. */
import { streamChat, ttftMs } from "../client.ts";
import { expectPromptTokens, type Prompts } from "../prompts.ts";
import type { Contestant, Scenario } from "../scenario.ts";

const promptTokens = 1000;
const addedTokens = 20;
/** A few, so that a first token whose bytes are held back does not leave the answer without content. */
const answerTokens = 8;

export const ttft: Scenario = {
  id: "ttft",
  groups: ["serve"],
  server: { model: "large", context: 2048, slots: 1, threads: 2 },
  rows: [
    { name: "TTFT, 1,000-token prompt, cold", unit: "ms", better: "lower", target: 1.0 },
    { name: "TTFT, same + 20 tokens, warm", unit: "ms", better: "lower", target: 1.0 },
  ],
  runs: 5,
  plan: "together",
  warmUp: async (contestant, prompts) => {
    await coldThenWarm(contestant, prompts, 1);
  },
  sample: coldThenWarm,
};

async function coldThenWarm(contestant: Contestant, prompts: Prompts, seed: number): Promise<readonly number[]> {
  const text = prompts.text(promptTokens - prompts.overheadTokens, seed);
  const ask = (content: string) =>
    streamChat({
      url: contestant.url,
      model: contestant.model,
      messages: [{ role: "user", content }],
      maxTokens: answerTokens,
    });
  const cold = await ask(text);
  const warm = await ask(`${text} ${prompts.text(addedTokens, seed + 1_000_000)}`);
  expectPromptTokens(contestant.name, cold.promptTokens, promptTokens);
  if (cold.cachedTokens > promptTokens / 10) throw new Error(`${contestant.name}: the cold prompt was cached`);
  if (warm.cachedTokens < promptTokens * 0.8) throw new Error(`${contestant.name}: the warm prompt was not cached`);
  return [ttftMs(cold), ttftMs(warm)];
}
