/** A GPU that goes and comes back, as a client of the whole box sees it: real HTTP, real workers, played tools. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { workerStarter } from "../../../server/backends/engine/start-process.ts";
import type { StartWorker } from "../../../server/backends/engine/worker-link.ts";
import { playedTools, type PlayedTools, recordedMachine, withoutCard } from "../../support/machines.ts";
import { type RealBox, realBox } from "../../support/real-box.ts";
import { silentLog, until } from "../../support/real-engine.ts";

const machine = await recordedMachine("rtx-3090");
/** What workers say that they compute on: they really run on this machine's CPU. */
let workersSay = "cuda";

const startWorker: StartWorker = (handlers) =>
  workerStarter(silentLog)({
    ...handlers,
    onMessage: (message) => handlers.onMessage(message.type === "loaded" ? { ...message, gpu: workersSay } : message),
  });

let box: RealBox;
let tools: PlayedTools;
let adminKey: string;
beforeAll(async () => {
  tools = playedTools(machine);
  box = await realBox({ LANTHORN_HARDWARE_SAMPLE_MS: "250" }, { tools, startWorker });
  adminKey = readFileSync(join(box.home, "admin.key"), "utf8").trim();
});
afterAll(() => box.stop());

const chat = (path: string, body: object) =>
  fetch(`${box.started.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "lanthorn-demo", max_tokens: 4, ...body }),
  });
const ask = (wishes: object = {}) =>
  chat("/v1/chat/completions", { messages: [{ role: "user", content: "hello" }], ...wishes });
const hardware = async () => {
  const answer = await fetch(`${box.started.url}/admin/hardware`, { headers: { authorization: `Bearer ${adminKey}` } });
  return (await answer.json()) as { gpus: { state: string; name: string }[]; engine: { gpu: string; reason: string } };
};
const stateIs = (state: string) =>
  until(`the card is ${state}`, async () => (await hardware()).gpus[0]?.state === state);

test("a lost GPU is an error with its reason in the client's shape, streamed or not, and is served again when it is back", async () => {
  await stateIs("present");
  expect((await ask()).status).toBe(200);
  tools.now = withoutCard(machine);
  await stateIs("lost");
  for (const refused of [
    await ask(),
    await ask({ stream: true }),
    await chat("/v1/completions", { prompt: "hello" }),
  ]) {
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(await refused.json()).toEqual({
      error: {
        message:
          '"lanthorn-demo" cannot answer: its GPU is lost: NVIDIA GeForce RTX 3090 does not answer any more (nvidia-smi says that it is lost).',
        type: "server_error",
        param: null,
        code: "model_unavailable",
      },
    });
  }
  expect((await hardware()).engine).toMatchObject({
    gpu: "cuda-13",
    reason: expect.stringContaining("does not answer"),
  });
  tools.now = machine;
  await stateIs("present");
  expect((await ask()).status).toBe(200);
});

test("a worker that computes on the CPU where a GPU was promised never answers", async () => {
  workersSay = "cpu";
  const own = playedTools(machine);
  const other = await realBox({ LANTHORN_HARDWARE_SAMPLE_MS: "250" }, { tools: own, startWorker });
  try {
    await until("it was looked at", () => own.asked.engine > 0);
    const answer = await fetch(`${other.started.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "lanthorn-demo", messages: [{ role: "user", content: "hello" }] }),
    });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      error: { code: "model_unavailable", message: expect.stringContaining("found no GPU where one was promised") },
    });
    expect(own.asked.engine).toBeGreaterThan(1);
  } finally {
    workersSay = "cuda";
    await other.stop();
  }
});
