/**
 * Requests per second where the model costs nothing: one token each, eight connections kept alive, streamed. This is the
 * price of our layers. The answers are read to their end but not parsed, so that the client is not what is measured.
 */
import { Agent, request } from "node:http";
import type { Contestant, Scenario } from "../scenario.ts";

const connections = 8;
const measuredMs = 4000;
const warmUpMs = 2000;

export const requestsPerSecond: Scenario = {
  id: "requests",
  groups: ["serve"],
  server: { model: "tiny", context: 1024, slots: 8, threads: 1 },
  rows: [{ name: "requests, tiny model, 1 token each, 8 connections", unit: "req/s", better: "higher", target: 0.6 }],
  runs: 5,
  plan: "together",
  warmUp: async (contestant) => {
    await requestsFor(contestant, warmUpMs);
  },
  sample: async (contestant) => {
    // Both servers close a connection that was idle while the other side was measured; open fresh ones first.
    await requestsFor(contestant, 300);
    return [await requestsFor(contestant, measuredMs)];
  },
};

/** Requests per second over `durationMs`, counted when a response has ended. */
async function requestsFor(contestant: Contestant, durationMs: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const body = JSON.stringify({
    model: contestant.model,
    messages: [{ role: "user", content: "Say one word." }],
    max_tokens: 1,
    temperature: 0,
    stream: true,
    ignore_eos: true,
    cache_prompt: true,
  });
  const fromMs = performance.now();
  const untilMs = fromMs + durationMs;
  let done = 0;
  const connection = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      await once(`${contestant.url}/v1/chat/completions`, body, agent);
      done += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, connection));
    return done / ((performance.now() - fromMs) / 1000);
  } finally {
    agent.destroy();
  }
}

function once(url: string, body: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: "POST",
      agent,
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
    });
    outgoing.once("error", (error) => {
      // A server may close a kept connection just as it is used again; llama-server does so after some requests.
      if (outgoing.reusedSocket) once(url, body, agent).then(resolve, reject);
      else reject(error);
    });
    outgoing.once("response", (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        reject(new Error(`status ${response.statusCode}`));
        return;
      }
      response.once("error", reject);
      response.once("end", resolve);
      response.resume();
    });
    outgoing.end(body);
  });
}
