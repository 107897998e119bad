/** A whole box over HTTP whose models come and go: memory is given back, and nobody notices but by the time it takes. */
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { full } from "../support/full.ts";
import { demoCopy } from "../support/demo-copy.ts";
import { adminOf, type BoxState, chatOver, streamFor } from "../support/box-client.ts";
import { realBox } from "../support/real-box.ts";
import { isAlive, temporaryFolder, until } from "../support/real-engine.ts";

/** How long an unused model stays here. */
const keepAliveMs = 1_000;

const testInFull = full ? test : () => {};

describe("S-21 idle unload", () => {
  test("health checks, lists, states and event streams do not put it off; a stream does, and survives it", async () => {
    const box = await realBox({ LANTHORN_ENGINE_KEEP_ALIVE_MS: String(keepAliveMs), LANTHORN_ENGINE_CONTEXT: "32768" });
    const admin = adminOf(box);
    const watching = new AbortController();
    try {
      const { url } = box.started;
      void fetch(`${url}/admin/events`, { headers: admin.headers, signal: watching.signal }).catch(() => {});
      const looks = setInterval(() => {
        for (const path of ["/health", "/ready", "/v1/models", "/", "/admin/state", "/admin/config"]) {
          void fetch(url + path, { headers: admin.headers, signal: watching.signal })
            .then((response) => response.arrayBuffer())
            .catch(() => {});
        }
      }, 200);
      watching.signal.addEventListener("abort", () => clearInterval(looks));
      // Three times as long as an unused model stays.
      const stream = await streamFor(url, 3 * keepAliveMs);
      expect(stream.status).toBe(200);
      expect(stream.textAfterMs).toBeGreaterThan(2 * keepAliveMs);
      const worker = (await admin.model("lanthorn-demo")).workerPid ?? -1;
      expect(isAlive(worker)).toBe(true);
      // The box hears a moment later that its client has left.
      await until("the countdown", async () => (await admin.state()).idle.next === "unload", 5 * keepAliveMs);
      await until(
        "it leaves",
        async () => (await admin.model("lanthorn-demo")).state === "unloaded",
        5 * keepAliveMs + 5_000,
      );
      expect(isAlive(worker)).toBe(false);
    } finally {
      watching.abort();
      await box.stop();
    }
  });

  testInFull("requests at the very moment it leaves are all answered", async () => {
    const box = await realBox({ LANTHORN_ENGINE_KEEP_ALIVE_MS: String(keepAliveMs) });
    try {
      const { url } = box.started;
      const statuses: number[] = [];
      for (let round = 0; round < 2; round += 1) {
        expect((await chatOver(url)).status).toBe(200);
        const endedMs = performance.now();
        const answers = Array.from({ length: 20 }, async (_, at) => {
          // From 50 ms before the moment to 50 ms after it.
          const dueMs = endedMs + keepAliveMs - 50 + at * 5;
          await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
          statuses.push((await chatOver(url)).status);
        });
        await Promise.all(answers);
      }
      expect(statuses.filter((status) => status !== 200)).toEqual([]);
      expect(statuses).toHaveLength(40);
    } finally {
      await box.stop();
    }
  });
});

testInFull(
  "S-20 two models that exceed engine.memoryLimit together: twenty interleaved requests, no failure, few swaps",
  async () => {
    const folder = await temporaryFolder();
    const demo = await demoCopy(folder.path);
    const models = ["one", "two"].map((alias) => ({ alias, path: join(folder.path, `${alias}.gguf`) }));
    await mkdir(folder.path, { recursive: true });
    for (const { path } of models) await copyFile(demo, path);
    const box = await realBox({
      LANTHORN_MODELS: JSON.stringify(models),
      LANTHORN_ENGINE_CONTEXT: "2048",
      LANTHORN_ENGINE_MEMORY_LIMIT: "5MiB",
      LANTHORN_ENGINE_MINIMUM_STAY_MS: "200",
    });
    const admin = adminOf(box);
    const pids = new Set<number>();
    const look = (state: BoxState) => {
      const alive = state.models.flatMap(({ workerPid }) => (workerPid === null ? [] : [workerPid]));
      // There is room for one.
      expect(alive.length).toBeLessThanOrEqual(1);
      for (const pid of alive) pids.add(pid);
    };
    try {
      const answers = await Promise.all(
        Array.from({ length: 20 }, async (_, at) => {
          const answer = await chatOver(box.started.url, at % 2 === 0 ? "one" : "two");
          look(await admin.state());
          return answer;
        }),
      );
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      expect(pids.size).toBe(2);
    } finally {
      await box.stop();
      await folder.remove();
    }
  },
);
