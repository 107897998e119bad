/** Eight streams whose answer a grammar forces to be a JSON object. Each whole answer must parse; tokens per second of all together. */
import { streamChat } from "../client.ts";
import type { Prompts } from "../prompts.ts";
import type { Contestant, Scenario } from "../scenario.ts";

const streams = 8;
const answerTokens = 48;

export const forcedJson: Scenario = {
  id: "forced-json",
  groups: ["step"],
  server: { model: "large", context: 2048, slots: streams, threads: 2 },
  rows: [{ name: "forced JSON, 8 streams together", unit: "tok/s", better: "higher", target: null }],
  runs: 3,
  plan: "together",
  warmUp: async (contestant, prompts) => {
    await forced(contestant, prompts, 1);
  },
  sample: forced,
};

async function forced(contestant: Contestant, prompts: Prompts, seed: number): Promise<readonly number[]> {
  const results = await Promise.all(
    Array.from({ length: streams }, (_, stream) =>
      streamChat({
        url: contestant.url,
        model: contestant.model,
        messages: [{ role: "user", content: `Answer in JSON. ${prompts.text(40, seed * 100 + stream)}` }],
        maxTokens: answerTokens,
        json: true,
      }),
    ),
  );
  for (const { text, finishReason } of results) {
    // Random weights seldom close what they opened, so an answer cut by its length may only be the start of an object.
    if (finishReason === "length" ? !text.trimStart().startsWith("{") : !isObject(text)) {
      throw new Error(`${contestant.name}: a forced answer is no JSON object: ${text.slice(0, 80)}`);
    }
  }
  const tokens = results.reduce((sum, result) => sum + result.completionTokens, 0);
  const fromMs = Math.min(...results.map((result) => result.sentAtMs));
  const toMs = Math.max(...results.map((result) => result.endedAtMs));
  return [tokens / ((toMs - fromMs) / 1000)];
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
