/** Workers start as the asking file is (source or compiled), see a clean environment, and are heard line by line. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { pathToFileURL } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { resolveSibling } from "../../../server/platform/resolve-sibling.ts";
import { longestLine, readLines, spawnWorker, workerEnvironment } from "../../../server/platform/spawn.ts";

describe("a sibling", () => {
  test.each([
    ["/box/server/engine/pool.ts", "/box/server/engine/worker/main.ts"],
    ["/box/dist/server/engine/pool.js", "/box/dist/server/engine/worker/main.js"],
    ["/a b/ü/pool.ts", "/a b/ü/worker/main.ts"],
  ])("of %s is %s", (asking, sibling) => {
    expect(resolveSibling(pathToFileURL(asking).href, "./worker/main")).toBe(sibling);
  });
});

describe("a worker", () => {
  function workerFile(source: string): string {
    const folder = mkdtempSync(join(tmpdir(), "lanthorn-worker-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "worker.ts"), source);
    return join(folder, "worker.ts");
  }

  test("gets messages, its own environment and none of the server's flags", async () => {
    const file = workerFile(`
      process.on("message", (message: { id: number }) => {
        process.send?.({ id: message.id, threads: process.env.UV_THREADPOOL_SIZE, flags: process.execArgv, own: process.env.OWN });
        process.disconnect();
      });`);
    const worker = spawnWorker(file, { env: { OWN: "yes" }, onLine: () => {} });
    worker.send({ id: 4 });
    const [answer] = await once(worker, "message");
    expect(answer).toEqual({ id: 4, threads: "1", flags: ["--max-semi-space-size=4"], own: "yes" });
    const [code] = await once(worker, "exit");
    expect(code).toBe(0);
  });

  test("is heard line by line on both of its outputs, the last line too", async () => {
    const lines: string[] = [];
    const file = workerFile(`process.stdout.write("loading\\nhalf"); process.stderr.write("warning\\r\\n");`);
    const worker = spawnWorker(file, { onLine: (line) => lines.push(line) });
    await once(worker, "close");
    expect(lines.sort()).toEqual(["half", "loading", "warning"]);
  });
});

test("the environment of a worker has the drivers' settings, and neither secrets nor Node's flags", () => {
  const environment = {
    PATH: "/bin",
    CUDA_VISIBLE_DEVICES: "1",
    NODE_OPTIONS: "--inspect",
    LANTHORN_ADMIN_KEY: "k",
    OPENAI_API_KEY: "k",
    HF_TOKEN: "t",
    DB_PASSWORD: "p",
    UV_THREADPOOL_SIZE: "16",
    UNSET: undefined,
  };
  expect(workerEnvironment(environment, { EXTRA: "1" })).toEqual({
    PATH: "/bin",
    CUDA_VISIBLE_DEVICES: "1",
    UV_THREADPOOL_SIZE: "1",
    EXTRA: "1",
  });
});

test("a line that never ends is cut and costs no memory", async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  readLines(stream, (line) => lines.push(line));
  for (let piece = 0; piece < 100; piece += 1) stream.write("x".repeat(1000));
  stream.write("\nnext\n");
  stream.end();
  await once(stream, "close");
  expect(lines).toEqual(["x".repeat(longestLine), "next"]);
});
