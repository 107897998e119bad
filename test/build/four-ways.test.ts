/**
 * A worker process starts in all four ways the product runs: from the tests, from the sources (`npm start`), from dist/, and from a
 * packed folder with nothing but itself.
 */
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { pack } from "../../build/pack.ts";
import { makeWhenStale } from "../../build/products.js";
import { resolveSibling } from "../../server/platform/resolve-sibling.ts";
import { spawnWorker } from "../../server/platform/spawn.ts";
import { start } from "./programs.ts";
import { checkout, emptyTree } from "./tree.ts";

const said: string[] = [];
beforeAll(async () => {
  expect(await makeWhenStale(checkout, "server", (line) => said.push(line)), said.join("\n")).toBe(true);
});

/** A program as the server is one: from `top`, it finds the engine's worker beside the engine, starts it and prints its answer. */
function serverIn(top: string, extension: "ts" | "js"): string {
  const file = (path: string) => JSON.stringify(pathToFileURL(join(top, `${path}.${extension}`)).href);
  return `
    const { resolveSibling } = await import(${file("server/platform/resolve-sibling")});
    const { spawnWorker } = await import(${file("server/platform/spawn")});
    const path = resolveSibling(${file("server/backends/engine/engine")}, "./worker/main");
    const worker = spawnWorker(path, { onLine: console.error });
    worker.on("message", (answer) => { console.log(JSON.stringify(answer)); worker.disconnect(); });
    worker.on("exit", (code) => console.log(code));
    worker.send({ type: "ping", id: 1 });
  `;
}

const answered = { code: 0, stdout: `${JSON.stringify({ type: "pong", id: 1 })}\n0\n`, stderr: "" };

test("from the tests", async () => {
  const engine = pathToFileURL(join(checkout, "server/backends/engine/engine.ts")).href;
  const worker = spawnWorker(resolveSibling(engine, "./worker/main"), { onLine: () => {} });
  worker.send({ type: "ping", id: 1 });
  expect((await once(worker, "message"))[0]).toEqual({ type: "pong", id: 1 });
  worker.disconnect();
  expect((await once(worker, "exit"))[0]).toBe(0);
});

test("from the sources, as npm start runs them", async () => {
  const program = serverIn(checkout, "ts");
  expect(await start(process.execPath, ["--input-type=module", "--eval", program]).ended).toMatchObject(answered);
});

test("from dist/, where there are no sources", async () => {
  const tree = emptyTree();
  tree.take("dist/server", "dist/models", "package.json", "build/lanthorn.js");
  tree.lendModules();
  const program = serverIn(join(tree.root, "dist"), "js");
  expect(await start(process.execPath, ["--input-type=module", "--eval", program]).ended).toMatchObject(answered);
  const version = await start(process.execPath, [join(tree.root, "build/lanthorn.js"), "--version"]).ended;
  expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: "" });
});

test("from a packed folder moved elsewhere, with its own Node and nothing on the path", async () => {
  const packed = emptyTree();
  pack(checkout, packed.root, process, true);
  const node = join(packed.root, "node/bin/node");
  const nothing = { PATH: "", TMPDIR: tmpdir(), HOME: packed.root };
  const program = serverIn(join(packed.root, "dist"), "js");
  expect(await start(node, ["--input-type=module", "--eval", program], nothing).ended).toMatchObject(answered);
  const version = await start(node, [join(packed.root, "build/lanthorn.js"), "--version"], nothing).ended;
  expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: "" });

  // Both native parts load from what was packed.
  packed.write(
    "natives.js",
    `import Database from "better-sqlite3";
     import { getLlama } from "node-llama-cpp";
     const llama = await getLlama({ gpu: false, build: "never" });
     console.log(llama.buildType, new Database(":memory:").prepare("select 1 + 1").pluck().get());
     await llama.dispose();`,
  );
  const loaded = await start(node, [join(packed.root, "natives.js")], nothing).ended;
  expect(loaded).toMatchObject({ code: 0, stdout: "prebuilt 2\n", stderr: "" });
});
