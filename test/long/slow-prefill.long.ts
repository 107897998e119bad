/** S-16 and S-17 with a prompt that really takes long: random weights in the shape of Qwen2.5-Coder 0.5B on one thread. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Agent, fetch } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeRandomModel } from "../../models/random/model.ts";
import { shapes } from "../../models/random/shapes.ts";
import { temporaryFolder, until } from "../support/real-engine.ts";
import { type RunningServer, startServer } from "../support/running-server.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: RunningServer;
beforeAll(async () => {
  folder = await temporaryFolder();
  const path = join(folder.path, "slow.gguf");
  await writeRandomModel(path, shapes["0.5b"]);
  server = await startServer({ flags: ["--model", `${path},alias=slow,context=8192,slots=2`] });
}, 300_000);
afterAll(async () => {
  await server?.remove();
  await folder.remove();
});

const prompt = Array.from({ length: 700 }, (_, at) => `word${at % 97} and`).join(" ");
const body = { model: "slow", stream: true, max_tokens: 2, messages: [{ role: "user", content: prompt }] };

/** What the slots are doing. */
async function states(): Promise<readonly string[]> {
  const admin = readFileSync(join(server.home, "admin.key"), "utf8").trim();
  const answer = await fetch(`${server.url}/admin/state`, { headers: { authorization: `Bearer ${admin}` } });
  const { models } = (await answer.json()) as { models: { id: string; slots: { state: string }[] }[] };
  return models.find(({ id }) => id === "slow")?.slots.map(({ state }) => state) ?? [];
}

function ask(dispatcher: Agent, signal?: AbortSignal) {
  return fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    dispatcher,
    ...(signal === undefined ? {} : { signal }),
  });
}

test("S-16 a prompt of more than 20 s keeps its line alive, from a cold model on", async () => {
  const dispatcher = new Agent({ bodyTimeout: 15_000, headersTimeout: 15_000 });
  const startedMs = performance.now();
  const response = await ask(dispatcher);
  const headersMs = performance.now() - startedMs;
  expect(response.status).toBe(200);
  let lastMs = performance.now();
  let longestGapMs = 0;
  let firstDataMs = 0;
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    const nowMs = performance.now();
    longestGapMs = Math.max(longestGapMs, nowMs - lastMs);
    lastMs = nowMs;
    text += decoder.decode(bytes, { stream: true });
    if (firstDataMs === 0 && text.includes("data:")) firstDataMs = nowMs - startedMs;
  }
  console.log({ headersMs, longestGapMs, firstDataMs });
  expect(text).toContain("data: [DONE]");
  expect(firstDataMs).toBeGreaterThan(20_000);
  expect(headersMs).toBeLessThan(10_000);
  expect(longestGapMs).toBeLessThan(10_000);
  await dispatcher.close();
});

test("S-17 leaving in the middle of such a prompt frees its slot within a batch, and what was computed stays", async () => {
  const dispatcher = new Agent();
  const other = { ...body, messages: [{ role: "user", content: `Another one. ${prompt}` }] };
  const leaving = new AbortController();
  const asked = fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(other),
    dispatcher,
    signal: leaving.signal,
  }).catch(() => null);
  await until("it computes the prompt", async () => (await states()).includes("prefill"), 60_000);
  const computedMs = 3_000;
  await new Promise((resolve) => setTimeout(resolve, computedMs));
  leaving.abort();
  await asked;
  const leftMs = performance.now();
  await until("the slot is free", async () => (await states()).every((state) => state === "idle"));
  expect(performance.now() - leftMs).toBeLessThan(10_000);
  await dispatcher.close();
});
