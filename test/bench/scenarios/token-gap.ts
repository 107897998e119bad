/** Three streams run; a prompt of 1,000 tokens arrives. How long does the worst-hit stream stand still, and how soon does the newcomer start? */
import { streamChat, ttftMs } from "../client.ts";
import { worstGapMs } from "../measure.ts";
import { expectPromptTokens, type Prompts } from "../prompts.ts";
import type { Contestant, Scenario } from "../scenario.ts";

const runningStreams = 3;
const promptTokens = 1000;
/** Each running stream has made this many tokens when the prompt is sent, and makes as many more after it has started. */
const settledTokens = 10;
/** More than a stream makes while the prompt is computed; the streams are cut off when the figure is known. */
const longestAnswer = 1500;

export const tokenGap: Scenario = {
  id: "token-gap",
  groups: ["serve"],
  server: { model: "large", context: 2048, slots: 4, threads: 2 },
  rows: [
    {
      name: "worst token gap of 3 streams while a 1,000-token prompt arrives",
      unit: "ms",
      better: "lower",
      target: 0.2,
    },
    { name: "TTFT of that prompt", unit: "ms", better: "lower", target: 1.1 },
  ],
  runs: 5,
  plan: "together",
  warmUp: async (contestant, prompts) => {
    await interrupted(contestant, prompts, 1);
  },
  sample: interrupted,
};

async function interrupted(contestant: Contestant, prompts: Prompts, seed: number): Promise<readonly number[]> {
  const { url, model } = contestant;
  const cut = new AbortController();
  const arrivals: number[][] = [];
  const watchers = new Set<() => void>();
  const streams = Array.from({ length: runningStreams }, (_, index) => {
    const own: number[] = [];
    arrivals.push(own);
    return streamChat({
      url,
      model,
      messages: [{ role: "user", content: prompts.text(50, seed * 100 + index) }],
      maxTokens: longestAnswer,
      signal: cut.signal,
      onToken: (arrivalMs) => {
        own.push(arrivalMs);
        for (const watcher of watchers) watcher();
      },
    });
  });
  /** Resolves when every stream has `counts[stream]` tokens. */
  const reached = (counts: readonly number[]): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (arrivals.every((own, stream) => own.length >= (counts[stream] ?? 0))) {
          watchers.delete(look);
          resolve();
        }
      };
      watchers.add(look);
      look();
    });
  const allStreams = Promise.all(streams);
  const measured = (async () => {
    await reached(arrivals.map(() => settledTokens));
    const newcomer = await streamChat({
      url,
      model,
      messages: [{ role: "user", content: prompts.text(promptTokens - prompts.overheadTokens, seed * 100 + 50) }],
      maxTokens: 8,
    });
    await reached(arrivals.map((own) => own.length + settledTokens));
    return newcomer;
  })();
  try {
    // A stream that ends early, or fails, must end the sample: the promise of its tokens would never be kept.
    const newcomer = await Promise.race([
      measured,
      allStreams.then(() => Promise.reject(new Error(`${contestant.name}: the running streams ended too early`))),
    ]);
    expectPromptTokens(contestant.name, newcomer.promptTokens, promptTokens);
    return [Math.max(...arrivals.map((own) => worstGapMs(own, newcomer.sentAtMs))), ttftMs(newcomer)];
  } finally {
    cut.abort();
    await allStreams.catch(() => {});
  }
}
