/** `lanthorn stop`: S-23, twice is as good as once, and never somebody else's process. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { sendJson, startAdminStub } from "../admin-stub.ts";
import { lanthorn } from "../run-command.ts";

async function startServer(mode: "polite" | "deaf" | "stuck"): Promise<{ home: string; server: ChildProcess }> {
  const home = temporaryFolder();
  const program = join(import.meta.dirname, "../pretend-server.ts");
  const server = fork(program, [mode], { env: { ...process.env, LANTHORN_HOME: home }, execArgv: [] });
  onTestFinished(() => {
    server.kill("SIGKILL");
  });
  await once(server, "message");
  return { home, server };
}

test("S-23 nothing runs: a sentence and exit 0, as often as asked", async () => {
  const environment = { LANTHORN_HOME: temporaryFolder() };
  for (const _ of [1, 2]) {
    expect(await lanthorn(["stop"], { environment })).toEqual({
      code: 0,
      stdout: "No server is running.\n",
      stderr: "",
    });
  }
  const asJson = await lanthorn(["stop", "--json"], { environment });
  expect(JSON.parse(asJson.stdout)).toEqual({ stopped: true, wasRunning: false, pid: null });
});

test("a server that takes the request is asked, and waited for", async () => {
  const { home, server } = await startServer("polite");
  const { code, stdout } = await lanthorn(["stop", "--json"], { environment: { LANTHORN_HOME: home } });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ stopped: true, wasRunning: true, pid: server.pid });
  expect(server.exitCode ?? (await once(server, "exit"))[0]).toBe(0);
});

test("one that refuses the request is signalled, because its user stands at this box", async () => {
  const { home, server } = await startServer("deaf");
  const { code, stdout, stderr } = await lanthorn(["stop"], { environment: { LANTHORN_HOME: home } });
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^Stopped http://127.0.0.1:\\d+ \\(pid ${server.pid}\\) in `, "u"));
  expect(stderr).toContain("SIGTERM");
});

test("the wait is bounded: exit 1 while it is still there, and --now kills it", async () => {
  const { home, server } = await startServer("stuck");
  const environment = { LANTHORN_HOME: home };
  const patient = await lanthorn(["stop", "--wait", "0"], { environment });
  expect(patient.code).toBe(1);
  expect(patient.stderr).toMatch(/^error {2}The server is still there after 0 s$/mu);
  expect(patient.stderr).toContain("next   lanthorn stop --now");
  expect(server.exitCode).toBeNull();
  const exited = once(server, "exit");
  const now = await lanthorn(["stop", "--now", "--wait", "0"], { environment });
  expect(now.code).toBe(0);
  expect(await exited).toEqual([null, "SIGKILL"]);
});

test("a process id that now belongs to somebody else gets no signal", async () => {
  const home = temporaryFolder();
  // This very process lives, and holds no data folder.
  const file = JSON.stringify({ pid: process.pid, url: "http://127.0.0.1:9", startedAtMs: 1 });
  writeFileSync(join(home, "server.json"), file, { mode: 0o600 });
  const outcome = await lanthorn(["stop", "--now"], { environment: { LANTHORN_HOME: home } });
  expect(outcome).toEqual({ code: 0, stdout: "No server is running.\n", stderr: "" });
});

test("a server elsewhere is asked and waited for by its address", async () => {
  let isStopping = false;
  const stub = await startAdminStub({
    "POST /admin/stop": (response) => {
      isStopping = true;
      sendJson(response, 202, { stopping: true });
    },
    "GET /health": (response) => {
      if (isStopping) response.destroy();
      else sendJson(response, 200, { status: "ok" });
    },
  });
  const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url, LANTHORN_API_KEY: "lth_admin" };
  const { code, stdout } = await lanthorn(["stop", "--now", "--json"], { environment });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ stopped: true, wasRunning: true, pid: null });
  expect(stub.asked[0]).toMatchObject({ method: "POST", authorization: "Bearer lth_admin", body: { now: true } });
});

test("a server elsewhere that refuses the key is exit 4", async () => {
  const stub = await startAdminStub({
    "POST /admin/stop": (response) =>
      sendJson(response, 401, { error: { message: "Unknown key.", code: "unknown_key" } }),
  });
  const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
  expect(await lanthorn(["stop"], { environment })).toMatchObject({ code: 4 });
});
