/** How a served process begins and ends: drains, kills, orphans, refusals to start. */
import { once } from "node:events";
import { createServer } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { killLoop } from "../support/kill-loop.ts";
import { isAlive, temporaryFolder, until } from "../support/real-engine.ts";
import { run, type RunningServer, startServer } from "../support/running-server.ts";
import { postChat, readStream } from "../support/sse.ts";
import { startRace } from "../support/start-race.ts";

const servers: RunningServer[] = [];
const start = async (...wishes: Parameters<typeof startServer>) => {
  const server = await startServer(...wishes);
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.remove();
});

const endless = { model: "lanthorn-demo", messages: [{ role: "user", content: "hi" }], ignore_eos: true };

/** Process ids of the children of a process, from /proc. */
async function childrenOf(pid: number): Promise<number[]> {
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.split(" ").filter(Boolean).map(Number);
}

describe.skipIf(process.platform !== "linux")("S-22 and S-23", () => {
  test("S-22 SIGTERM: running answers finish, new ones are refused, children are gone, exit 0", async () => {
    const server = await start();
    await readStream(server.url, { ...endless, max_tokens: 1 });
    const running = readStream(server.url, { ...endless, max_tokens: 3_000 });
    running.catch(() => {});
    const [worker] = await childrenOf(server.pid);
    const code = server.stop("SIGTERM");
    await until("not ready any more", () =>
      fetch(`${server.url}/ready`).then(
        (response) => response.status === 503,
        () => true,
      ),
    );
    const refused = await postChat(server.url, { ...endless, max_tokens: 1 }).then(
      (response) => response.status,
      () => "no connection",
    );
    expect([503, "no connection"]).toContain(refused);
    const { data } = await running;
    expect(data.at(-1)).toBe("[DONE]");
    expect(await code).toBe(0);
    expect(worker === undefined || isAlive(worker)).toBe(false);
  });

  test("S-22 streams cut at the deadline get an error event; grace 0 exits at once", async () => {
    const server = await start({ environment: { LANTHORN_SHUTDOWN_GRACE_MS: "0", LANTHORN_ENGINE_CONTEXT: "32768" } });
    await readStream(server.url, { ...endless, max_tokens: 1 });
    const response = await postChat(server.url, { ...endless, stream: true });
    const reader = response.body?.getReader();
    await reader?.read();
    const startedMs = performance.now();
    const code = server.stop("SIGTERM");
    let rest = "";
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read())
      rest += new TextDecoder().decode(part.value);
    expect(await code).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    expect(rest).toContain('"error"');
    expect(rest).not.toContain("[DONE]");
  });

  test("S-23 kill -9 of the server: workers are gone, the port and the folder are free, rows are closed", async () => {
    const folder = await temporaryFolder();
    const server = await start({ home: folder.path });
    await readStream(server.url, { ...endless, max_tokens: 1 });
    const response = await postChat(server.url, { ...endless, stream: true, max_tokens: 100_000 });
    const reader = response.body?.getReader();
    await reader?.read();
    const workers = await childrenOf(server.pid);
    await server.stop("SIGKILL");
    await reader?.cancel().catch(() => {});
    await until("workers gone", () => workers.every((pid) => !isAlive(pid)));
    const next = await start({ home: folder.path, flags: ["--port", new URL(server.url).port] });
    const summary = JSON.parse((await next.command("usage", "summary", "--json")).stdout);
    expect(summary.byStatus.open).toBe(0);
    expect(summary.byStatus.interrupted + summary.byStatus.aborted + summary.byStatus.done).toBe(2);
    await next.remove();
    await folder.remove();
  });

  // A hundred times in `test/long/kills.long.ts`.
  test("S-30 kill after kill: what a client has seen whole has exactly one row, and no row stays open", async () => {
    const kills = 2;
    const { seenWhole, rowsOf, statuses, longestStartMs } = await killLoop(kills, 10);
    expect(seenWhole.length).toBeGreaterThanOrEqual(kills);
    expect(seenWhole.filter((id) => rowsOf.get(id) !== 1)).toEqual([]);
    expect([...rowsOf].filter(([, rows]) => rows !== 1)).toEqual([]);
    expect(statuses.has("open")).toBe(false);
    expect(longestStartMs).toBeLessThan(25_000);
  }, 180_000);
});

describe("starting", () => {
  /** One that runs already, for whoever starts beside it; the last of them ends it. */
  let first: RunningServer;
  beforeAll(async () => {
    first = await startServer();
  });
  afterAll(() => first.remove());

  test("S-37 on every address without a key and without a terminal: exit 78 and one sentence", async () => {
    const folder = await temporaryFolder();
    const { code, stdout, stderr } = await run(["serve", "--host", "0.0.0.0", "--port", "0"], {
      ...process.env,
      LANTHORN_HOME: folder.path,
      LANTHORN_ADMIN_KEY: "",
    });
    expect(code).toBe(78);
    expect(stdout).toBe("");
    expect(stderr).toContain("LANTHORN_ADMIN_KEY");
    await folder.remove();
  });

  test("a second start on the same data folder attaches: it names the first, and ends with 0", async () => {
    const environment = { ...process.env, LANTHORN_HOME: first.home };
    const second = await run(["serve", "--port", "0"], environment);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining(`${first.url}   already`) });
    expect(second.stdout).toContain(`process ${first.pid}`);
    expect(second.stderr).toContain("keeps the settings it was started with");
    const third = await run(["serve", "--json"], environment);
    expect(third).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(third.stdout)).toEqual({ type: "ready", url: first.url, pid: first.pid, attached: true });
    expect((await first.command("--json")).code).toBe(0);
  });

  test("servers started at the same instant on one data folder: one serves, the others find it, nothing is harmed", async () => {
    // Ten rounds of four in `test/long/same-instant.long.ts`.
    const { serving, addresses, codes, keys, doctor } = await startRace(1, 2);
    expect(serving).toEqual([1]);
    expect(addresses).toEqual([1]);
    expect(codes.filter((code) => code !== 0)).toEqual([]);
    expect(keys).toBe(2);
    expect(JSON.parse(doctor.stdout)).toContainEqual(expect.objectContaining({ title: "Ledger", status: "ok" }));
  });

  test("a taken port is said in words", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const folder = await temporaryFolder();
    const { code, stderr } = await run(["serve", "--port", String(port)], {
      ...process.env,
      LANTHORN_HOME: folder.path,
    });
    expect(code).toBe(78);
    expect(stderr).toMatch(new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is taken`));
    // Linux also tells which program it is: this very process, when it may be looked at.
    if (process.platform === "linux") expect(stderr).toContain(`(process ${process.pid})`);
    const taken = await run(["serve", "--port", new URL(first.url).port], {
      ...process.env,
      LANTHORN_HOME: folder.path,
    });
    expect(taken.code).toBe(78);
    expect(taken.stderr).toContain("a Lanthorn of another data folder serves there");
    expect(taken.stderr).toMatch(/next {3}lanthorn serve --port \d+/);
    other.close();
    await folder.remove();
  });

  test("a hostile model file is refused with its reason, and the rest is served", async () => {
    const folder = await temporaryFolder();
    const { mkdir, writeFile } = await import("node:fs/promises");
    const { join } = await import("node:path");
    await mkdir(join(folder.path, "models"), { recursive: true });
    await writeFile(
      join(folder.path, "models", "evil.gguf"),
      "GGUF\u0003\u0000\u0000\u0000\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f",
    );
    const server = await start({ home: folder.path });
    expect(server.stderr()).toContain("evil.gguf");
    const { text } = await readStream(server.url, { ...endless, ignore_eos: false });
    expect(text).toContain("demo model");
    await server.remove();
    await folder.remove();
  });

  test("with --ready-json it stays as long as the server that it found, and does not stop it", async () => {
    const one = await startServer({ home: first.home });
    const two = await startServer({ home: first.home });
    expect([one.url, two.url]).toEqual([first.url, first.url]);
    expect(await one.stop()).toBeNull();
    expect((await fetch(`${first.url}/ready`)).status).toBe(200);
    const gone = once(two.process, "exit");
    await first.stop();
    expect((await gone)[0]).toBe(0);
  });
});
