/**
 * Hostile model files beside a model that is being served: every one refused with a reason, in bounded time and memory, while
 * the other goes on streaming.
 */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listModels } from "../../../models/store.ts";
import { writeHostileFolder } from "../../support/hostile-gguf.ts";
import { realBox } from "../../support/real-box.ts";
import { startServer } from "../../support/running-server.ts";
import { postChat } from "../../support/sse.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const hello = { model: "lanthorn-demo", messages: [{ role: "user", content: "hello" }] };
/** Wishes of a quiet machine are asserted five times as wide. */
const alive = 5;

test("at least 40 mutated files are refused, each with its reason, while another model streams in the same process", async () => {
  const box = await realBox();
  try {
    const folder = join(temporaryFolder(), "hostile");
    const count = writeHostileFolder(folder);
    expect(count).toBeGreaterThanOrEqual(40);

    const leave = new AbortController();
    const response = await postChat(
      box.started.url,
      { ...hello, stream: true, max_tokens: 20_000, ignore_eos: true },
      { signal: leave.signal },
    );
    const lines = createInterface({ input: Readable.fromWeb(response.body as never) });
    const arrivals: number[] = [];
    let firstChunk = () => {};
    const streaming = new Promise<void>((resolve) => {
      firstChunk = resolve;
    });
    const reading = (async () => {
      for await (const line of lines) {
        if (!line.startsWith("data: {")) continue;
        arrivals.push(performance.now());
        if (arrivals.length > 2) firstChunk();
      }
    })().catch(() => {});
    await streaming;

    const memoryBefore = process.memoryUsage().rss;
    const startedMs = performance.now();
    const { files, refusals } = await listModels({ folder, entries: [] });
    const endedMs = performance.now();
    const growth = process.memoryUsage().rss - memoryBefore;
    // One more, so that the last gap is one that was seen to end.
    await new Promise<void>((resolve) => {
      firstChunk = resolve;
    });
    leave.abort();
    await reading;

    const meanwhile = arrivals.filter((at) => at >= startedMs && at <= endedMs);
    const all = [startedMs, ...arrivals.filter((at) => at >= startedMs)];
    const longestGapMs = Math.max(...all.slice(1).map((at, index) => at - (all[index] ?? at)));
    console.log(
      `${refusals.length} of ${count} refused in ${Math.round(endedMs - startedMs)} ms, ${(growth / 2 ** 20).toFixed(0)} MiB; ` +
        `${meanwhile.length} chunks of the other model meanwhile, longest gap ${Math.round(longestGapMs)} ms`,
    );
    expect(files).toEqual([]);
    expect(refusals).toHaveLength(count);
    expect(refusals.filter(({ reason }) => !/^[\x20-\x7e]{10,400}$/.test(reason))).toEqual([]);
    // No reason tells where anything lies.
    expect(refusals.filter(({ reason }) => reason.includes(folder))).toEqual([]);
    expect(meanwhile.length).toBeGreaterThan(5);
    expect(longestGapMs).toBeLessThan(1_000 * alive);
    expect(endedMs - startedMs).toBeLessThan(5_000 * alive);
    expect(growth).toBeLessThan(150 * 2 ** 20);
  } finally {
    await box.stop();
  }
});

test("a server whose folder is full of them starts, says why each is left out, and serves the rest", async () => {
  const home = temporaryFolder();
  const count = writeHostileFolder(join(home, "models"));
  const server = await startServer({ home });
  try {
    const { data } = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(["lanthorn-demo"]);
    expect((await postChat(server.url, { ...hello, max_tokens: 4 })).status).toBe(200);
    expect(server.stderr().match(/model refused/g)).toHaveLength(count);
  } finally {
    await server.remove();
  }
});
