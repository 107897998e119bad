/** `lanthorn` alone and `lanthorn models list`: what the box is doing. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { busyState, emptySummary, idleState, servedModels, someSummary, startAdminStub } from "../admin-stub.ts";
import { lanthorn } from "../run-command.ts";

const idle = {
  "GET /v1/models": servedModels,
  "GET /admin/state": idleState,
  "GET /admin/usage/summary": emptySummary,
};
const busy = { "GET /v1/models": servedModels, "GET /admin/state": busyState, "GET /admin/usage/summary": someSummary };

describe("lanthorn", () => {
  test("an idle box in a few lines, and three next commands", async () => {
    const stub = await startAdminStub(idle);
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const { code, stdout, stderr } = await lanthorn([], { environment });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.replace(/ {3}up .*/u, "   up –").replace(stub.url, "<url>")).toBe(
      [
        "atlas           idle   <url>   up –",
        "coder           64 K context, 2 slots   ready",
        "lanthorn-demo   2 K context, 4 slots   unloaded: not asked for yet   demo",
        "today           no requests yet",
        "next            lanthorn bench · lanthorn models list · lanthorn keys create <name>",
        "",
      ].join("\n"),
    );
  });

  test("a busy box says how many are answered and how many wait", async () => {
    const stub = await startAdminStub(busy);
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const { stdout } = await lanthorn([], { environment });
    expect(stdout).toMatch(/^atlas {11}answering 1, 1 waiting {3}/u);
    expect(stdout).toContain("today           3 requests, 41.2 K in, 412 out");
    const asJson = JSON.parse((await lanthorn(["--json"], { environment })).stdout);
    expect(asJson).toMatchObject({ running: true, url: stub.url, queue: [{ caller: "ayo" }] });
  });
});

describe("lanthorn models list", () => {
  test("of a running server", async () => {
    const stub = await startAdminStub(busy);
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    expect((await lanthorn(["models", "list"], { environment })).stdout).toBe(
      [
        "ALIAS          FILE                  SIZE  CONTEXT  SLOTS  FOR   STATE",
        "coder          qwen3-coder.gguf  17.3 GiB     64 K      2  chat  ready, 1 request running",
        "lanthorn-demo  –                        –      2 K      4  chat  unloaded: not asked for yet   demo",
        "",
      ].join("\n"),
    );
  });

  test("--json is a bare array, [] when there are none", async () => {
    const stub = await startAdminStub({ ...idle, "GET /admin/state": { ...idleState, models: [] } });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const { stdout, stderr } = await lanthorn(["models", "list", "--json"], { environment });
    expect({ models: JSON.parse(stdout), stderr }).toEqual({ models: [], stderr: "" });
  });
});

test("models list with no server is what serve would find, the refused ones with their reason", async () => {
  const home = temporaryFolder();
  mkdirSync(join(home, "models"));
  writeFileSync(join(home, "models", "broken.gguf"), "GGUF, and then nothing that belongs there");
  const environment = { LANTHORN_HOME: home };
  const { code, stdout, stderr } = await lanthorn(["models", "list"], { environment });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^– +broken\.gguf +– +– +– +– +refused: \S/mu);
  expect(stderr).toContain("No server is running");
  const [broken] = JSON.parse((await lanthorn(["models", "list", "--json"], { environment })).stdout);
  expect(broken).toMatchObject({ fileName: "broken.gguf", state: "refused" });
  const nothing = await lanthorn(["models", "list", "--json"], { environment: { LANTHORN_HOME: temporaryFolder() } });
  expect(nothing).toEqual({ code: 0, stdout: "[]\n", stderr: "" });
});
