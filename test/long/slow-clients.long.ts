/** S-31 with the counts as written: five hundred connections that dawdle for a minute, against the real server and its times. */
import { expect, test } from "vitest";
import { openSlowClients } from "../support/slow-clients.ts";
import { canMeasure, descriptorCount, peakGrowthBytes } from "../support/process-memory.ts";
import { startServer } from "../support/running-server.ts";
import { until } from "../support/real-engine.ts";
import { postChat } from "../support/sse.ts";

const say = (content: string, more: object = {}) => ({
  model: "lanthorn-demo",
  messages: [{ role: "user", content }],
  ...more,
});

test.skipIf(!canMeasure)("S-31 500 slow connections: others are served, and all are closed within 20 s", async () => {
  const server = await startServer({ flags: ["--log-level", "error"] });
  try {
    expect((await postChat(server.url, say("hi", { max_tokens: 5 }))).status).toBe(200);
    const before = descriptorCount(server.pid);
    const port = Number(new URL(server.url).port);
    let longestAnswerMs = 0;
    let answers = 0;
    const longest: number[] = [];
    const grown = await peakGrowthBytes(server.pid, async () => {
      const endMs = performance.now() + 60_000;
      while (performance.now() < endMs) {
        const slow = await openSlowClients(port, 500, ["silent", "headers", "body"], "");
        const closed = slow.lifetimes(40_000);
        for (let turn = 0; turn < 10; turn += 1) {
          const startedMs = performance.now();
          expect((await postChat(server.url, say("hi", { max_tokens: 5 }))).status).toBe(200);
          longestAnswerMs = Math.max(longestAnswerMs, performance.now() - startedMs);
          answers += 1;
        }
        const lifetimes = await closed;
        slow.close();
        expect(lifetimes.filter((ms) => ms === null)).toEqual([]);
        longest.push(Math.max(...lifetimes.map((ms) => ms ?? Number.POSITIVE_INFINITY)));
      }
    });
    const shown = longest.map((ms) => `${(ms / 1000).toFixed(1)} s`).join(", ");
    console.log(
      `slow clients: rounds closed after ${shown}; ${answers} answers meanwhile, the longest ${longestAnswerMs.toFixed(0)} ms; +${(grown / 2 ** 20).toFixed(0)} MiB`,
    );
    expect(Math.max(...longest)).toBeLessThanOrEqual(20_000);
    expect(longestAnswerMs).toBeLessThan(10_000);
    expect(grown).toBeLessThan(200 * 2 ** 20);
    await until("the descriptors are free again", () => descriptorCount(server.pid) <= before + 2);
  } finally {
    await server.remove();
  }
});

test.skipIf(!canMeasure)("S-31 readers of a byte a second of a long stream cost a bound and no more", async () => {
  const server = await startServer({ flags: ["--log-level", "error"] });
  try {
    expect((await postChat(server.url, say("hi", { max_tokens: 5 }))).status).toBe(200);
    const port = Number(new URL(server.url).port);
    const long = JSON.stringify(say("hi", { stream: true, max_tokens: 20_000, ignore_eos: true }));
    const grown = await peakGrowthBytes(server.pid, async () => {
      const slow = await openSlowClients(port, 4, ["reader"], long);
      await slow.lifetimes(30_000);
      expect((await fetch(`${server.url}/health`)).status).toBe(200);
      slow.close();
    });
    console.log(`slow readers: +${(grown / 2 ** 20).toFixed(0)} MiB`);
    expect(grown).toBeLessThan(150 * 2 ** 20);
    // Their slots are free for the next.
    expect((await postChat(server.url, say("hi", { max_tokens: 5 }))).status).toBe(200);
  } finally {
    await server.remove();
  }
});
