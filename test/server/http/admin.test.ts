/** The admin resources: state, stop, keys, usage, configuration, events. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bareMachine, jsonOf, openRaw, openRoom, type Room } from "./room.ts";

let room: Room;
beforeAll(async () => {
  room = await openRoom();
});
afterAll(() => room.close());

function ask(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = { authorization: `Bearer ${room.adminKey}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  return fetch(room.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

test("state and configuration are what the box says", async () => {
  expect(await (await ask("GET", "/admin/state")).json()).toEqual({ box: { name: "here" }, models: [], queue: [] });
  expect(await (await ask("GET", "/admin/config")).json()).toEqual({ settings: [] });
});

test("the hardware is what was seen last, with its age", async () => {
  const answer = await ask("GET", "/admin/hardware");
  const { ageMs, ...view } = await jsonOf<{ ageMs: number }>(answer);
  expect([answer.status, view]).toEqual([200, bareMachine]);
  expect(ageMs).toBeGreaterThan(0);
  expect((await room.get("/admin/hardware")).status).toBe(401);
});

describe("keys", () => {
  test("are made once, listed without their secret, and revoked", async () => {
    const made = await ask("POST", "/admin/keys", { name: "bob", label: "laptop" });
    const { key, secret } = await jsonOf<{ key: { id: number; tail: string }; secret: string }>(made);
    expect(made.status).toBe(201);
    expect(secret).toMatch(/^lth_/);
    expect(key).toMatchObject({
      kind: "inference",
      name: "bob",
      label: "laptop",
      tail: secret.slice(-4),
      revokedAtMs: null,
      expiresAtMs: null,
    });

    const list = await (await ask("GET", "/admin/keys")).text();
    expect(list).toContain('"bob"');
    expect(list).not.toContain(secret);
    expect(list).not.toContain("hash");

    expect(await (await ask("DELETE", `/admin/keys/${key.id}`)).json()).toMatchObject({
      key: { id: key.id, name: "bob" },
    });
    expect((await room.get("/v1/models", { authorization: `Bearer ${secret}` })).status).toBe(401);
  });

  test("wrong wishes are named", async () => {
    expect(await (await ask("POST", "/admin/keys", {})).json()).toMatchObject({ error: { param: "name" } });
    expect(await (await ask("POST", "/admin/keys", { name: "" })).json()).toMatchObject({ error: { param: "name" } });
    expect(await (await ask("POST", "/admin/keys", { name: "x", kind: "admin" })).json()).toMatchObject({
      error: { param: "kind" },
    });
    expect((await ask("POST", "/admin/keys")).status).toBe(400);
    for (const id of ["9999", "x", "1.5", "-1"]) expect((await ask("DELETE", `/admin/keys/${id}`)).status).toBe(404);
    expect((await ask("PUT", "/admin/keys/1")).headers.get("allow")).toBe("DELETE, OPTIONS");
    const long = await ask("POST", "/admin/keys", { name: "x".repeat(70_000) });
    expect(long.status).toBe(413);
  });
});

describe("usage", () => {
  test("sums, single requests and files come from the ledger", async () => {
    expect(await (await ask("GET", "/admin/usage/summary")).json()).toMatchObject({ total: { requests: 0 } });
    expect(await (await ask("GET", "/admin/usage/requests?limit=5")).json()).toEqual({ requests: [] });
    expect((await ask("GET", "/admin/usage/requests/req_nothing")).status).toBe(404);
    const file = await ask("GET", "/admin/usage/export?format=csv");
    expect(file.headers.get("content-disposition")).toBe('attachment; filename="lanthorn-usage.csv"');
    expect((await file.text()).split("\n")[0]).toContain("id");
    const head = await ask("HEAD", "/admin/usage/export?format=jsonl");
    expect([head.status, head.headers.get("content-type")]).toEqual([200, "application/x-ndjson; charset=utf-8"]);
  });

  test.each([
    ["summary?from=yesterday", "from"],
    ["requests?limit=0", "limit"],
    ["requests?limit=5&limit=6", "limit"],
    ["export?format=xml", "format"],
  ])("%s is refused by name", async (path, param) => {
    const response = await ask("GET", `/admin/usage/${path}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param } });
  });
});

test("stop answers first and stops then, now or with grace", async () => {
  for (const [body, now] of [
    [undefined, false],
    [{ now: true }, true],
  ] as const) {
    room.stops.length = 0;
    const response = await ask("POST", "/admin/stop", body);
    expect([response.status, await response.json()]).toEqual([202, { stopping: true }]);
    await expect.poll(() => room.stops).toEqual([{ now }]);
  }
  expect((await ask("POST", "/admin/stop", { now: "yes" })).status).toBe(400);
});

test("events arrive as they happen, and a page that leaves is forgotten", async () => {
  const controller = new AbortController();
  const headers = { authorization: `Bearer ${room.adminKey}` };
  const response = await fetch(`${room.url}/admin/events`, { headers, signal: controller.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  room.publish({ type: "request", id: "req_1", status: "done" });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  while (reader && !seen.includes("event:")) seen += (await reader.read()).value;
  expect(seen).toContain('event: request\ndata: {"type":"request","id":"req_1","status":"done"}\n\n');
  expect(room.listeners()).toBe(1);
  controller.abort();
  await reader?.read().catch(() => {});
  await expect.poll(() => room.listeners()).toBe(0);
  const head = await ask("HEAD", "/admin/events");
  expect([head.status, room.listeners()]).toEqual([200, 0]);
});

test("a page that does not read its events is cut off, and nobody else notices", async () => {
  const head = `GET /admin/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${room.adminKey}\r\n\r\n`;
  const client = await openRaw(room.port, head);
  await client.until(": keep-alive");
  client.socket.pause();
  const status = "x".repeat(64 * 1024);
  for (let sent = 0; sent < 1_000 && room.listeners() > 0; sent += 1) {
    for (let burst = 0; burst < 32; burst += 1) room.publish({ type: "request", id: "req_1", status });
    await new Promise((resolve) => void setImmediate(resolve));
  }
  expect(room.listeners()).toBe(0);
  expect((await room.get("/health")).status).toBe(200);
  client.socket.destroy();
});
