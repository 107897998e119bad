/**
 * Decode speed: one stream, and several together. One stream is timed from its first token to its last. Several are timed
 * as a client sees them: all sent at once, every token of all of them over the time until the last one has ended, so that a
 * server that lets streams wait for each other pays for it. Their speed after the first token is reported beside it.
 */
import { type ChatResult, streamChat } from "../client.ts";
import { median } from "../measure.ts";
import type { Prompts } from "../prompts.ts";
import type { Contestant, Scenario } from "../scenario.ts";

const promptTokens = 64;
const answerTokens = 128;
const threads = 2;
const context = 2048;

export const decodeOne: Scenario = {
  id: "decode-1",
  groups: ["serve"],
  server: { model: "large", context, slots: 1, threads },
  rows: [{ name: "decode, 1 stream", unit: "tok/s", better: "higher", target: 0.97 }],
  runs: 5,
  plan: "together",
  warmUp: async (contestant, prompts) => {
    await streamTogether(contestant, prompts, 1, 1);
  },
  sample: async (contestant, prompts, seed) => [
    median((await streamTogether(contestant, prompts, 1, seed)).map(decodeTps)),
  ],
};

export const decodeFour: Scenario = several(4);
export const decodeEight: Scenario = several(8);

function several(streams: number): Scenario {
  return {
    id: `decode-${streams}`,
    groups: streams === 8 ? ["serve", "step"] : ["serve"],
    server: { model: "large", context, slots: streams, threads },
    rows: [
      { name: `decode, ${streams} streams together`, unit: "tok/s", better: "higher", target: 1.1 },
      {
        name: `decode, ${streams} streams, each after its first token`,
        unit: "tok/s",
        better: "higher",
        target: null,
      },
    ],
    runs: 5,
    plan: "together",
    warmUp: async (contestant, prompts) => {
      await streamTogether(contestant, prompts, streams, 1);
    },
    sample: async (contestant, prompts, seed) => {
      const results = await streamTogether(contestant, prompts, streams, seed);
      const tokens = results.reduce((sum, result) => sum + result.completionTokens, 0);
      const fromMs = Math.min(...results.map((result) => result.sentAtMs));
      const toMs = Math.max(...results.map((result) => result.endedAtMs));
      return [tokens / ((toMs - fromMs) / 1000), median(results.map(decodeTps))];
    },
  };
}

async function streamTogether(
  contestant: Contestant,
  prompts: Prompts,
  streams: number,
  seed: number,
): Promise<ChatResult[]> {
  const results = await Promise.all(
    Array.from({ length: streams }, (_, stream) =>
      streamChat({
        url: contestant.url,
        model: contestant.model,
        messages: [{ role: "user", content: prompts.text(promptTokens, seed * 100 + stream) }],
        maxTokens: answerTokens,
      }),
    ),
  );
  for (const result of results) {
    if (result.completionTokens !== answerTokens) {
      throw new Error(`${contestant.name}: a stream has ${result.completionTokens} tokens instead of ${answerTokens}`);
    }
  }
  return results;
}

/** Tokens per second from the first piece of content to the last. */
function decodeTps(result: ChatResult): number {
  const first = result.arrivalsMs[0];
  const last = result.arrivalsMs.at(-1);
  if (first === undefined || last === undefined || last <= first) throw new Error("too few pieces of content to time");
  return (result.completionTokens - 1) / ((last - first) / 1000);
}
