/**
 * A worker process starts in all four ways the product runs: from the tests, from the sources (`npm start`), from dist/, and from a
 * packed folder with nothing but itself. In the last three, it answers a chat.
 */
import { once } from "node:events";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { pack } from "../../build/pack.ts";
import { makeWhenStale } from "../../build/products.js";
import { resolveSibling } from "../../server/platform/resolve-sibling.ts";
import { spawnWorker } from "../../server/platform/spawn.ts";
import { start, systemNode } from "./programs.ts";
import { checkout, emptyTree } from "./tree.ts";

const said: string[] = [];
beforeAll(async () => {
  expect(await makeWhenStale(checkout, "server", (line) => said.push(line)), said.join("\n")).toBe(true);
});

/** Starts a server, chats with the demo model, asks which process answered, and stops it. */
async function answerOf(node: string, args: readonly string[], environment: NodeJS.ProcessEnv) {
  const home = emptyTree().root;
  const env = { ...environment, LANTHORN_HOME: home, LANTHORN_ADMIN_KEY: "an-admin-key-for-this-test-only-0123456789" };
  const server = start(node, [...args, "--port", "0", "--ready-json"], env);
  const { url } = JSON.parse(await server.line()) as { url: string };
  const headers = { authorization: `Bearer ${env.LANTHORN_ADMIN_KEY}`, "content-type": "application/json" };
  const body = { model: "lanthorn-demo", messages: [{ role: "user", content: "hi" }], max_tokens: 3 };
  const chat = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body: JSON.stringify(body) });
  const answer = (await chat.json()) as { usage?: { completion_tokens: number } };
  const state = (await (await fetch(`${url}/admin/state`, { headers })).json()) as { models: { workerPid: number }[] };
  server.kill("SIGTERM");
  const { code } = await server.ended;
  return {
    status: chat.status,
    tokens: answer.usage?.completion_tokens,
    workers: state.models.filter(({ workerPid }) => workerPid > 0).length,
    code,
  };
}

const answered = { status: 200, tokens: 3, workers: 1, code: 0 };

test("from the tests", async () => {
  const engine = new URL("../../server/backends/engine/engine.ts", import.meta.url).href;
  const worker = spawnWorker(resolveSibling(engine, "./worker/main"), { onLine: () => {} });
  worker.send({ type: "ping", id: 1 });
  expect((await once(worker, "message"))[0]).toEqual({ type: "pong", id: 1 });
  worker.disconnect();
  expect((await once(worker, "exit"))[0]).toBe(0);
});

test("from the sources, as npm start runs them, under the system's own Node where there is one", async () => {
  const script = join(checkout, "build/start.js");
  expect(await answerOf(systemNode() ?? process.execPath, [script], process.env)).toEqual(answered);
});

test("from dist/, where there are no sources", async () => {
  const tree = emptyTree();
  tree.take("dist/server", "dist/models", "package.json", "build/lanthorn.js", "build/child.js");
  tree.lendModules();
  const bin = join(tree.root, "build/lanthorn.js");
  expect(await answerOf(process.execPath, [bin, "serve"], process.env)).toEqual(answered);
});

test("from a packed folder elsewhere, with its own Node and nothing on the path", async () => {
  const packed = emptyTree();
  pack(checkout, packed.root, process, true);
  const node = join(packed.root, "node/bin/node");
  const bin = join(packed.root, "build/lanthorn.js");
  expect(await answerOf(node, [bin, "serve"], { PATH: "" })).toEqual(answered);
});
