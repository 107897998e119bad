/** `lanthorn models load|unload|pin|unpin`, against a scripted server: what is asked, what is said, with which exit code. */
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { type Answer, idleState, refuse, sendJson, servedModels, startAdminStub } from "../admin-stub.ts";
import { lanthorn } from "../run-command.ts";

const [coder] = idleState.models;
const inState = (state: string, reason: string, more: object = {}) => ({ ...coder, state, reason, ...more });
const withModel = (model: object) => ({ ...idleState, models: [model] });

async function stubbed(routes: Readonly<Record<string, Answer>>) {
  const stub = await startAdminStub(routes);
  const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
  return { stub, run: (...args: string[]) => lanthorn(["models", ...args], { environment }) };
}

/** Answers `first`, then `later` for ever. */
function thenAlways(first: object, later: object): Answer {
  let asked = 0;
  return (response) => {
    asked += 1;
    sendJson(response, 200, asked === 1 ? first : later);
  };
}

describe("load", () => {
  test("follows the load until the model answers", async () => {
    const { stub, run } = await stubbed({
      "POST /admin/models/coder/load": (response) =>
        sendJson(response, 202, { model: inState("loading", "asked for") }),
      "GET /admin/state": thenAlways(withModel(inState("loading", "asked for")), withModel(inState("ready", "loaded"))),
    });
    const { code, stdout } = await run("load", "coder");
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^coder is loaded \(.+\)\.\n$/u) });
    expect(stub.asked.filter(({ method }) => method === "POST")).toHaveLength(1);
  });

  test("an alias with slashes is one name; --json is the model", async () => {
    const model = { ...inState("ready", "loaded"), id: "org/coder:7b@q4" };
    const { run } = await stubbed({ "POST /admin/models/org%2Fcoder%3A7b%40q4/load": { model } });
    const { code, stdout } = await run("load", "org/coder:7b@q4", "--json");
    expect({ code, model: JSON.parse(stdout) }).toMatchObject({ code: 0, model: { id: model.id, state: "ready" } });
  });

  test("no room is exit 6 with the server's words, also when it comes later", async () => {
    const noRoom = { code: "no_room", message: 'There is no room for "coder": it needs 12.0 GiB.' };
    const { run } = await stubbed({ "POST /admin/models/coder/load": (response) => refuse(response, 503, noRoom) });
    const refused = await run("load", "coder");
    expect(refused).toMatchObject({ code: 6, stdout: "" });
    expect(refused.stderr).toContain(noRoom.message);
    const later = await stubbed({
      "POST /admin/models/coder/load": (response) =>
        sendJson(response, 202, { model: inState("loading", "asked for") }),
      "GET /admin/state": withModel(inState("failed", "the engine could not load it")),
    });
    expect(await later.run("load", "coder")).toMatchObject({
      code: 6,
      stderr: expect.stringContaining("could not load"),
    });
  });

  test("no such model is exit 5, no server exit 3", async () => {
    const { run } = await stubbed({});
    expect((await run("load", "coder")).code).toBe(5);
    const nobody = await lanthorn(["models", "load", "coder"], { environment: { LANTHORN_HOME: temporaryFolder() } });
    expect(nobody.code).toBe(3);
  });
});

describe("unload", () => {
  test("waits until the memory is free", async () => {
    const { stub, run } = await stubbed({
      "POST /admin/models/coder/unload": (response) =>
        sendJson(response, 202, { model: inState("stopping", "unloaded by the admin") }),
      "GET /admin/state": withModel(inState("unloaded", "unloaded by the admin")),
    });
    const { code, stdout } = await run("unload", "coder", "--wait");
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^coder is not in memory/u) });
    expect(stub.asked[0]?.body).toEqual({ wait: true });
  });

  test("a busy model is exit 6, and the next line waits for it", async () => {
    const { run } = await stubbed({
      "POST /admin/models/coder/unload": (response) =>
        refuse(response, 409, { code: "model_busy", message: '"coder" is in use: 2 requests use it.' }),
    });
    const { code, stderr } = await run("unload", "coder");
    expect(code).toBe(6);
    expect(stderr).toContain("2 requests use it");
    expect(stderr).toContain("next   lanthorn models unload coder --wait");
  });
});

test("pin and unpin say what holds from now on", async () => {
  const { run } = await stubbed({
    "POST /admin/models/coder/pin": { model: inState("unloaded", "not asked for yet", { pinned: true }) },
    "POST /admin/models/coder/unpin": { model: inState("ready", "loaded") },
  });
  expect((await run("pin", "coder")).stdout).toBe("coder stays in memory once it is loaded.\n");
  expect((await run("unpin", "coder")).stdout).toBe("coder is not pinned.\n");
});

test("list shows until when a model stays", async () => {
  const until = Date.now() + 14 * 60_000 + 30_000;
  const { run } = await stubbed({
    "GET /v1/models": servedModels,
    "GET /admin/state": {
      ...idleState,
      models: [inState("ready", "loaded", { until }), { ...inState("ready", "loaded", { pinned: true }), id: "fim" }],
    },
  });
  const { stdout } = await run("list");
  expect(stdout).toMatch(/^coder .* ready, unloads in 14 m \d\d s$/mu);
  expect(stdout).toMatch(/^fim .* ready, pinned$/mu);
});
