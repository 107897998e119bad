/** Models that do not fit together, asked in turns for long: S-20 and S-21 in full, and a hundred thousand random events. */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensureDemoModel } from "../../models/demo/file.ts";
import { adminOf, chatOver, streamFor } from "../support/box-client.ts";
import { realBox } from "../support/real-box.ts";
import { isAlive, temporaryFolder, until } from "../support/real-engine.ts";
import { residencyStory } from "../support/residency-world.ts";

async function twoModels(environment: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder();
  const demo = await ensureDemoModel(folder.path);
  const models = ["one", "two"].map((alias) => ({ alias, path: join(folder.path, `${alias}.gguf`) }));
  for (const { path } of models) await copyFile(demo, path);
  const box = await realBox({
    LANTHORN_MODELS: JSON.stringify(models),
    LANTHORN_ENGINE_CONTEXT: "2048",
    LANTHORN_ENGINE_MEMORY_LIMIT: "5MiB",
    LANTHORN_ENGINE_QUEUE: "256",
    ...environment,
  });
  const admin = adminOf(box);
  const pids = new Set<number>();
  let most = 0;
  let watching = true;
  const watch = (async () => {
    while (watching) {
      const alive = (await admin.state()).models.flatMap(({ workerPid }) => (workerPid === null ? [] : [workerPid]));
      most = Math.max(most, alive.length);
      for (const pid of alive) pids.add(pid);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    box,
    end: async () => {
      watching = false;
      await watch;
      await box.stop();
      await folder.remove();
      return { loads: pids.size, mostAtOnce: most };
    },
  };
}

test.each([
  { how: "all at once", clients: 200, minimumStayMs: 500 },
  { how: "by eight clients, each in turns", clients: 8, minimumStayMs: 500 },
  { how: "by one client, without a minimum stay", clients: 1, minimumStayMs: 0 },
])("S-20 two hundred interleaved requests, $how: no failure", async ({ how, clients, minimumStayMs }) => {
  const { box, end } = await twoModels({ LANTHORN_ENGINE_MINIMUM_STAY_MS: String(minimumStayMs) });
  const statuses: number[] = [];
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let at = client; at < 200; at += clients) {
        statuses.push((await chatOver(box.started.url, at % 2 === 0 ? "one" : "two")).status);
      }
    }),
  );
  const tookS = (performance.now() - startMs) / 1_000;
  const { loads, mostAtOnce } = await end();
  console.log(`200 interleaved requests, ${how}: ${loads - 1} swaps in ${tookS.toFixed(1)} s`);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(mostAtOnce).toBe(1);
  // Never more than one swap for each request, and with a minimum stay one for each of its periods.
  expect(loads - 1).toBeLessThanOrEqual(minimumStayMs === 0 ? 200 : Math.ceil((tookS * 1_000) / minimumStayMs));
});

test("S-21 a stream of ten seconds survives, and two hundred requests at the moment of leaving are all answered", async () => {
  const keepAliveMs = 2_000;
  const environment = { LANTHORN_ENGINE_KEEP_ALIVE_MS: String(keepAliveMs), LANTHORN_ENGINE_CONTEXT: "131072" };
  const box = await realBox(environment);
  try {
    const { url } = box.started;
    const stream = await streamFor(url, 10_000);
    expect(stream.textAfterMs).toBeGreaterThan(2 * keepAliveMs);
    const statuses: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      expect((await chatOver(url)).status).toBe(200);
      const endedMs = performance.now();
      await Promise.all(
        Array.from({ length: 20 }, async (_, at) => {
          const dueMs = endedMs + keepAliveMs - 50 + at * 5;
          await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
          statuses.push((await chatOver(url)).status);
        }),
      );
    }
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    const admin = adminOf(box);
    const worker = (await admin.model("lanthorn-demo")).workerPid ?? -1;
    await until("it leaves", async () => (await admin.model("lanthorn-demo")).state === "unloaded");
    expect(isAlive(worker)).toBe(false);
  } finally {
    await box.stop();
  }
});

test("forty thousand random stories of residency keep every rule", () => {
  let asked = 0;
  for (let seed = 10_000; seed < 50_000; seed += 1) asked += residencyStory(seed, 300).asked;
  expect(asked).toBeGreaterThan(1_000_000);
});
