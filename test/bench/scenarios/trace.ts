/**
 * S-34: an open loop. Requests come when the trace says, whether or not the earlier ones are answered, with the lengths of
 * a published trace (`trace-shape.ts`) and a tenth of its rate. Every request is its own prompt. Goodput is the share of all
 * requests whose first token came within 2 s and whose tokens then came every 200 ms or faster on average.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type ChatResult, streamChat, ttftMs } from "../client.ts";
import { percentile, type RowDefinition } from "../measure.ts";
import type { Prompts } from "../prompts.ts";
import type { Contestant, Scenario } from "../scenario.ts";
import { traceRequests } from "../trace-shape.ts";

const shareOfTheTrace = 0.1;
const durationMs = 180_000;
const goodTtftMs = 2_000;
const goodGapMs = 200;
const shares = [50, 95, 99] as const;

const measures = [
  { name: "TTFT", of: (results: readonly ChatResult[]) => results.map(ttftMs) },
  { name: "ITL", of: (results: readonly ChatResult[]) => results.flatMap(gapsMs) },
  { name: "E2E", of: (results: readonly ChatResult[]) => results.map((one) => one.endedAtMs - one.sentAtMs) },
] as const;

export const trace: Scenario = {
  id: "trace",
  groups: ["serve"],
  server: { model: "small", context: 8_192, slots: 4, threads: 1 },
  rows: [
    {
      name: "S-34 code trace at a tenth of its rate: answered",
      unit: "%",
      better: "higher",
      target: 100,
      absolute: true,
    },
    { name: "S-34 goodput (TTFT 2 s, ITL 200 ms)", unit: "%", better: "higher", target: null },
    ...measures.flatMap(({ name }) =>
      shares.map(
        (share): RowDefinition => ({ name: `S-34 ${name} p${share}`, unit: "ms", better: "lower", target: null }),
      ),
    ),
  ],
  runs: 1,
  plan: "apart",
  peerOptional: true,
  warmUp: async ({ url, model }, prompts) => {
    await streamChat({ url, model, messages: [{ role: "user", content: prompts.text(500, 1) }], maxTokens: 8 });
  },
  sample,
};

async function sample(contestant: Contestant, prompts: Prompts, seed: number): Promise<readonly number[]> {
  const { url, model } = contestant;
  const requests = traceRequests(durationMs, shareOfTheTrace, seed);
  const startedMs = performance.now();
  const outcomes = await Promise.all(
    requests.map(async ({ atMs, promptTokens, answerTokens }, number): Promise<ChatResult | null> => {
      const content = prompts.text(Math.max(1, promptTokens - prompts.overheadTokens), seed * 1e6 + number);
      await delay(Math.max(0, startedMs + atMs - performance.now()));
      const messages = [{ role: "user", content }] as const;
      const result = await streamChat({ url, model, messages, maxTokens: answerTokens }).catch(() => null);
      return result?.completionTokens === answerTokens ? result : null;
    }),
  );
  const answered = outcomes.filter((outcome) => outcome !== null);
  const good = answered.filter((one) => ttftMs(one) <= goodTtftMs && meanGapMs(one) <= goodGapMs);
  const percent = (count: number) => (100 * count) / requests.length;
  return [
    percent(answered.length),
    percent(good.length),
    ...measures.flatMap(({ of }) => {
      const values = of(answered);
      return shares.map((share) => percentile(values, share / 100));
    }),
  ];
}

function gapsMs({ arrivalsMs }: ChatResult): number[] {
  return arrivalsMs.slice(1).map((arrivalMs, at) => arrivalMs - (arrivalsMs[at] ?? arrivalMs));
}

function meanGapMs(result: ChatResult): number {
  const first = result.arrivalsMs[0];
  const last = result.arrivalsMs.at(-1);
  if (first === undefined || last === undefined || result.completionTokens < 2) return 0;
  return (last - first) / (result.completionTokens - 1);
}
