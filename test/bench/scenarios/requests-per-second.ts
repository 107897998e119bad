/**
 * Requests per second where the model costs nothing: one token each, eight connections kept alive, streamed and whole. This is
 * the price of our layers. The answers are read to their end but not parsed, so that the client is not what is measured.
 */
import { errors, Pool } from "undici";
import type { Contestant, Scenario } from "../scenario.ts";

const connections = 8;
const measuredMs = 4000;
const warmUpMs = 2000;

export const requestsPerSecond: Scenario = {
  id: "requests",
  groups: ["serve"],
  server: { model: "tiny", context: 1024, slots: 8, threads: 1 },
  rows: [
    {
      name: "requests, tiny model, 1 token each, 8 connections, streamed",
      unit: "req/s",
      better: "higher",
      target: 0.6,
    },
    { name: "  the same, not streamed", unit: "req/s", better: "higher", target: 0.6 },
  ],
  runs: 5,
  plan: "together",
  warmUp: async (contestant) => {
    await requestsFor(contestant, warmUpMs, true);
  },
  sample: async (contestant) => [
    await requestsFor(contestant, measuredMs, true),
    await requestsFor(contestant, measuredMs, false),
  ],
};

/** Requests per second over `durationMs`, counted when a response has ended. */
async function requestsFor(contestant: Contestant, durationMs: number, stream: boolean): Promise<number> {
  const pool = new Pool(contestant.url, { connections, pipelining: 1 });
  const body = JSON.stringify({
    model: contestant.model,
    messages: [{ role: "user", content: "Say one word." }],
    max_tokens: 1,
    temperature: 0,
    stream,
    ignore_eos: true,
    cache_prompt: true,
  });
  const fromMs = performance.now();
  const untilMs = fromMs + durationMs;
  let done = 0;
  const connection = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      await once(pool, body);
      done += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, connection));
    return done / ((performance.now() - fromMs) / 1000);
  } finally {
    await pool.destroy();
  }
}

/** One request to the end of its answer. A kept connection that the server closed just then is tried once more. */
async function once(pool: Pool, body: string, mayRetry = true): Promise<void> {
  try {
    const response = await pool.request({
      path: "/v1/chat/completions",
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    await response.body.dump({ limit: 1024 * 1024 });
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
  } catch (thrown) {
    if (!mayRetry || !(thrown instanceof errors.SocketError)) throw thrown;
    await once(pool, body, false);
  }
}
