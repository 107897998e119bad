/**
 * Days on which the machine itself is against us: no descriptors, no memory, no disk. The product as a process of its own,
 * narrowed by the system's own limits; each has a clear end, and the day after is a day like any other.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { run, type RunningServer, startServer } from "../support/running-server.ts";
import { temporaryFolder, until } from "../support/real-engine.ts";
import { postChat } from "../support/sse.ts";
import { canMeasure, descriptorCount } from "../support/process-memory.ts";

const say = (content: string, more: object = {}) => ({
  model: "lanthorn-demo",
  temperature: 0,
  messages: [{ role: "user", content }],
  ...more,
});

const servers: RunningServer[] = [];
async function serve(wishes: Parameters<typeof startServer>[0]): Promise<RunningServer> {
  const server = await startServer(wishes);
  servers.push(server);
  return server;
}
afterEach(async () => {
  for (const server of servers.splice(0)) await server.remove();
});

async function ask(server: RunningServer, path: string): Promise<unknown> {
  const key = readFileSync(join(server.home, "admin.key"), "utf8").trim();
  const response = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  return response.json();
}

interface State {
  readonly models: readonly { readonly workerPid: number | null; readonly state: string }[];
}

function lines(server: RunningServer, message: RegExp): readonly string[] {
  return server
    .stderr()
    .split("\n")
    .filter((line) => message.test(line));
}

// prlimit, bash and /proc are Linux.
describe.skipIf(!canMeasure)("a narrow machine", () => {
  test("no descriptors left: clients are turned away, it is said once, others go on, and then all is as before", async () => {
    const server = await serve({ narrowed: "ulimit -n 128", flags: ["--log-level", "warn"] });
    const running = await postChat(server.url, say("hello", { stream: true, max_tokens: 400 }));
    const before = descriptorCount(server.pid);
    const sockets: Socket[] = [];
    let turnedAway = 0;
    for (let index = 0; index < 300; index += 1) {
      const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
      socket.on("error", () => {});
      socket.on("close", () => (turnedAway += 1));
      sockets.push(socket);
    }
    await until("clients are turned away", () => turnedAway >= 200);
    expect(await running.text()).toContain("data: [DONE]");
    expect(descriptorCount(server.pid)).toBeLessThan(128);
    expect(lines(server, /connections are turned away/)).toHaveLength(1);

    for (const socket of sockets) socket.destroy();
    await until("the descriptors are free", () => descriptorCount(server.pid) <= before + 2);
    expect((await postChat(server.url, say("hello"))).status).toBe(200);
    expect(await ask(server, "/admin/usage/summary")).toMatchObject({ total: { requests: 2 } });
  });

  test("a worker without memory: its requests end with worker_died, the server and its books go on", async () => {
    const server = await serve({ flags: ["--log-level", "error"] });
    expect((await postChat(server.url, say("hello"))).status).toBe(200);
    const { models } = (await ask(server, "/admin/state")) as State;
    const worker = models[0]?.workerPid ?? 0;
    // What it has is all it will get: no page of heap, of the engine's or of JavaScript's, may be added.
    const data = /^VmData:\s+(\d+) kB/m.exec(readFileSync(`/proc/${worker}/status`, "utf8"))?.[1];
    execFileSync("prlimit", ["--pid", String(worker), `--data=${Number(data) * 1024}`]);

    const died: string[] = [];
    for (let round = 0; round < 20 && died.length === 0; round += 1) {
      const more = { max_tokens: 200, logprobs: true, top_logprobs: 20 };
      const bodies = [0, 1, 2, 3].map((index) => say(`${"word ".repeat(3000)}${round}${index}`, more));
      for (const response of await Promise.all(bodies.map((body) => postChat(server.url, body)))) {
        const { error } = (await response.json()) as { error?: { code: string } };
        if (error !== undefined) died.push(`${response.status} ${error.code}`);
      }
    }
    expect(died.length).toBeGreaterThan(0);
    expect(new Set(died)).toEqual(new Set(["503 worker_died"]));
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    expect((await postChat(server.url, say("hello"))).status).toBe(200);
    const { total } = (await ask(server, "/admin/usage/summary")) as { total: { requests: number } };
    expect(await ask(server, "/admin/usage/summary")).toMatchObject({
      byStatus: { open: 0, done: total.requests - died.length, failed: died.length },
    });
  });

  test("a full disk: local answers go on, it is said once, and every row is there when there is room again", async () => {
    const server = await serve({ narrowed: "trap '' XFSZ", flags: ["--log-level", "info"] });
    const ids: (string | null)[] = [];
    const chat = async () => {
      const response = await postChat(server.url, say("hello", { max_tokens: 2 }));
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ choices: [{ message: { role: "assistant" } }] });
      ids.push(response.headers.get("x-request-id"));
    };
    await chat();
    // No file of this process may grow any more.
    const log = statSync(join(server.home, "ledger.db-wal")).size;
    execFileSync("prlimit", ["--pid", String(server.pid), `--fsize=${log}:unlimited`]);
    for (let index = 0; index < 10; index += 1) await chat();
    expect(lines(server, /the ledger cannot be written; rows are kept/)).toHaveLength(1);
    expect((await fetch(`${server.url}/ready`)).status).toBe(200);

    execFileSync("prlimit", ["--pid", String(server.pid), "--fsize=unlimited:unlimited"]);
    await until("the ledger is written again", () => lines(server, /can be written again/).length === 1);
    for (const id of ids) {
      expect(await ask(server, `/admin/usage/requests/${id}`)).toMatchObject({ id, status: "done" });
    }
    expect(await ask(server, "/admin/usage/summary")).toMatchObject({
      total: { requests: ids.length },
      byStatus: { open: 0 },
    });
  });
});

describe("a ledger that is none", () => {
  test.each([
    ["a folder", (path: string) => void mkdirSync(path)],
    ["some other file", (path: string) => writeFileSync(path, "no database ".repeat(1000))],
    [
      "half a database",
      (path: string) => writeFileSync(path, Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(84)])),
    ],
  ])("%s: it does not start, says why in a sentence, and leaves the file as it is", async (_what, spoil) => {
    const folder = await temporaryFolder();
    const path = join(folder.path, "ledger.db");
    spoil(path);
    const before = statSync(path);
    const { code, stderr } = await run(["serve", "--port", "0"], { ...process.env, LANTHORN_HOME: folder.path });
    expect(code).toBe(78);
    expect(stderr).toMatch(/ledger/i);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect([statSync(path).size, statSync(path).isFile()]).toEqual([before.size, before.isFile()]);
    await folder.remove();
  });
});
