/** Commands beside a real `lanthorn serve`, as people use them: found through the data folder, with its own admin key. */
import { once } from "node:events";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { demoCopy } from "../../support/demo-copy.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { lanthorn, lanthornAlone, startLanthorn } from "./run-command.ts";

interface Served {
  readonly environment: Readonly<Record<string, string>>;
  readonly server: ReturnType<typeof startLanthorn>;
  readonly ready: { readonly type: string; readonly url: string; readonly pid: number };
}

/** Where a server starts sooner. */
async function homeWithDemo(): Promise<string> {
  const home = temporaryFolder();
  await demoCopy(join(home, "models"));
  return home;
}

async function serve(home = temporaryFolder()): Promise<Served> {
  const environment = { LANTHORN_HOME: home, LANTHORN_HARDWARE_SAMPLE_MS: "0" };
  const server = startLanthorn(["serve", "--port", "0", "--ready-json", "--log-level", "error"], { environment });
  const [line] = await once(server.stdout.setEncoding("utf8"), "data");
  return { environment, server, ready: JSON.parse(String(line)) };
}

test("every command's --json is one JSON value, with a server and after it; stop ends it with 0", async () => {
  const { environment, server, ready } = await serve();
  expect(ready).toEqual({ type: "ready", url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/u), pid: server.pid });
  // Each command in a process of its own, the first time.
  const tried = new Set<string>();
  const run = async (...args: string[]) => {
    const words = args.slice(0, 2).join(" ");
    const command = tried.has(words) ? lanthorn : lanthornAlone;
    tried.add(words);
    const { code, stdout, stderr } = await command([...args, "--json"], { environment });
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
    return JSON.parse(stdout);
  };

  expect(await run()).toMatchObject({ running: true, url: ready.url, models: [{ id: "lanthorn-demo", demo: true }] });
  expect(await run("models", "list")).toMatchObject([{ alias: "lanthorn-demo", demo: true }]);
  expect(await run("usage", "export")).toEqual([]);
  expect(await run("bench", "--tokens", "8")).toMatchObject({ alias: "lanthorn-demo", streams: [{}, {}] });
  const rows = await run("usage", "export");
  expect(rows).toHaveLength(8);
  expect(await run("usage", "show", rows[0].id)).toMatchObject({ id: rows[0].id, status: "done" });
  expect(await run("usage", "summary")).toMatchObject({ total: { requests: 8 }, byStatus: { open: 0, done: 8 } });
  expect(await run("rental", "list")).toMatchObject({ leases: [], summary: null });
  expect(await run("config", "show", "port")).toMatchObject([{ value: 0, origin: "flag --port" }]);
  const made = await run("keys", "create", "jonas");
  expect(await run("keys", "list")).toContainEqual(made.key);
  expect(await run("keys", "revoke", made.key.tail, "--yes")).toMatchObject({ revokedAtMs: expect.any(Number) });
  const { secret } = await run("keys", "reset-admin");
  expect(readFileSync(join(environment.LANTHORN_HOME ?? "", "admin.key"), "utf8").trim()).toBe(secret);
  expect((await run("keys", "list")).map((key: { kind: string }) => key.kind)).toEqual(["admin"]);
  expect(await run("doctor")).toContainEqual(expect.objectContaining({ title: "Server", status: "ok" }));

  const exited = once(server, "exit");
  expect(await run("stop")).toEqual({ stopped: true, wasRunning: true, pid: ready.pid });
  expect(await exited).toEqual([0, null]);

  expect(await run()).toMatchObject({ running: false });
  expect(await run("models", "list")).toMatchObject([{ alias: "lanthorn-demo", state: "on-disk" }]);
  expect(await run("usage", "summary")).toMatchObject({ total: { requests: 8 } });
  expect(await run("stop")).toMatchObject({ wasRunning: false });
});

test("models come and go beside a running server: imported, put there, forgotten, deleted, also while loaded", async () => {
  const { environment } = await serve(await homeWithDemo());
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await lanthorn([...args, "--json"], { environment });
    expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
    return JSON.parse(stdout);
  };
  const aliases = async () => (await run("models", "list")).map(({ alias }: { alias: string }) => alias);
  const own = join(environment.LANTHORN_HOME ?? "", "models");
  const elsewhere = temporaryFolder();
  const source = join(elsewhere, "elsewhere.gguf");
  copyFileSync(join(own, "lanthorn-demo.gguf"), source);
  copyFileSync(source, join(own, "mine.gguf"));

  await run("models", "import", elsewhere);
  expect(await aliases()).toEqual(["lanthorn-demo", "mine", "elsewhere"]);
  expect(await run("models", "load", "mine")).toMatchObject({ state: "ready" });
  expect(await run("models", "rm", "mine", "--yes")).toMatchObject({ done: "deleted", files: ["mine.gguf"] });
  expect(await run("models", "rm", "elsewhere", "--yes")).toMatchObject({ done: "forgotten" });
  expect(await aliases()).toEqual(["lanthorn-demo"]);
  expect([existsSync(join(own, "mine.gguf")), existsSync(source)]).toEqual([false, true]);
});

test("an inference key does not administer: exit 4, and the way out is the box's own key", async () => {
  const { environment } = await serve(await homeWithDemo());
  const key = (await lanthorn(["keys", "create", "jonas"], { environment })).stdout.trim();
  const outcome = await lanthorn(["usage", "summary"], { environment: { ...environment, LANTHORN_API_KEY: key } });
  expect(outcome).toMatchObject({ code: 4, stdout: "" });
  expect(outcome.stderr).toContain("next   unset LANTHORN_API_KEY");
});

test("a lost admin key: refused over HTTP, back after stop and reset-admin by the user of the data folder", async () => {
  const { environment, server } = await serve(await homeWithDemo());
  const wrong = { ...environment, LANTHORN_API_KEY: "lth_0000000000000000000000000000000000000000000" };
  expect(await lanthorn(["keys", "reset-admin"], { environment: wrong })).toMatchObject({ code: 4 });
  const exited = once(server, "exit");
  expect(await lanthorn(["stop"], { environment: wrong })).toMatchObject({ code: 0 });
  expect(await exited).toEqual([0, null]);
  expect(await lanthorn(["keys", "reset-admin"], { environment: wrong })).toMatchObject({ code: 0 });
});

test("Ctrl-C ends serve with 130, and leaves no server.json", async () => {
  const { environment, server } = await serve(await homeWithDemo());
  const exited = once(server, "exit");
  server.kill("SIGINT");
  expect(await exited).toEqual([130, null]);
  expect(existsSync(join(environment.LANTHORN_HOME ?? "", "server.json"))).toBe(false);
});

test("serve goes on when whoever read its first lines is gone", async () => {
  const home = await homeWithDemo();
  const environment = { LANTHORN_HOME: home };
  const server = startLanthorn(["serve", "--port", "0", "--log-level", "error"], { environment });
  server.stdout.destroy();
  await expect.poll(() => existsSync(join(home, "server.json")), { timeout: 60_000 }).toBe(true);
  const { stdout } = await lanthorn(["--json"], { environment });
  expect(JSON.parse(stdout)).toMatchObject({ running: true });
  expect(server.exitCode).toBeNull();
  expect(await lanthorn(["stop"], { environment })).toMatchObject({ code: 0 });
});
