/** `/admin/models` and `/admin/stay-awake`: what is asked of the engine, and how its refusals are told. */
import { afterEach, describe, expect, test } from "vitest";
import { Failure } from "../../../server/domain/failure.ts";
import type { HttpDeps } from "../../../server/http/deps.ts";
import { aModel, openRoom, type Room } from "./room.ts";

let room: Room | null = null;
afterEach(() => room?.close());

async function roomWith(
  models: Partial<HttpDeps["models"]>,
): Promise<(path: string, body?: object) => Promise<Response>> {
  const opened = await openRoom({ models });
  room = opened;
  return (path, body) =>
    fetch(opened.url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${opened.adminKey}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
}

describe("load", () => {
  test("is done when the model is there at once, and goes on when it takes longer", async () => {
    let loading = Promise.resolve();
    const ask = await roomWith({ load: () => loading });
    const done = await ask("/admin/models/coder/load");
    expect([done.status, await done.json()]).toEqual([200, { model: aModel("coder") }]);
    let arrive = () => {};
    loading = new Promise((resolve) => {
      arrive = resolve;
    });
    expect((await ask("/admin/models/coder/load")).status).toBe(202);
    arrive();
  });

  test("tells why there is no room, and when to come back", async () => {
    const ask = await roomWith({
      load: () => Promise.reject(new Failure("no_room", "There is no room.", { retryAfterSeconds: 60 })),
    });
    const response = await ask("/admin/models/coder/load");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "60"]);
    expect(await response.json()).toMatchObject({ error: { code: "no_room", message: "There is no room." } });
  });
});

test("unload waits only when it is asked to; a model in use is a conflict", async () => {
  const asked: unknown[] = [];
  const ask = await roomWith({
    unload: (alias, whenDone) => {
      asked.push([alias, whenDone]);
      if (!whenDone) throw new Failure("model_busy", "In use.");
    },
    model: async (alias) => ({ ...aModel(alias), state: "unloaded" }),
  });
  const busy = await ask("/admin/models/coder/unload");
  expect([busy.status, await busy.json()]).toMatchObject([409, { error: { code: "model_busy" } }]);
  expect((await ask("/admin/models/coder/unload", { wait: true })).status).toBe(200);
  expect((await ask("/admin/models/coder/unload", { wait: "yes" })).status).toBe(400);
  expect(asked).toEqual([
    ["coder", false],
    ["coder", true],
  ]);
});

test("an alias may hold what paths are made of; one that is not there is 404", async () => {
  const asked: unknown[] = [];
  const ask = await roomWith({ pin: (alias, pinned) => void asked.push([alias, pinned]) });
  const path = `/admin/models/${encodeURIComponent("org/coder:7b@q4")}`;
  expect((await ask(`${path}/pin`)).status).toBe(200);
  expect((await ask(`${path}/unpin`)).status).toBe(200);
  expect(asked).toEqual([
    ["org/coder:7b@q4", true],
    ["org/coder:7b@q4", false],
  ]);
  const unknown = await ask("/admin/models/nobody/pin");
  expect([unknown.status, await unknown.json()]).toMatchObject([404, { error: { code: "model_not_found" } }]);
  expect((await ask("/admin/models/org/coder/pin")).status).toBe(404);
});

test("stay-awake takes a time, or nothing any more", async () => {
  const ask = await roomWith({});
  const until = Date.now() + 60_000;
  expect(await (await ask("/admin/stay-awake", { untilMs: until })).json()).toMatchObject({
    idle: { awakeUntil: until },
  });
  expect(await (await ask("/admin/stay-awake", { untilMs: null })).json()).toMatchObject({
    idle: { awakeUntil: null },
  });
  for (const body of [undefined, {}, { untilMs: "tomorrow" }, { untilMs: -1 }]) {
    expect((await ask("/admin/stay-awake", body)).status).toBe(400);
  }
});
