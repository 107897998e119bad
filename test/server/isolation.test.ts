/** Attack 20: what one key has sent must not show to another in cached tokens. The whole box, over HTTP, with the real engine. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startServer, type RunningServer } from "../support/running-server.ts";
import { postChat } from "../support/sse.ts";

const usage = z.object({
  usage: z.object({ prompt_tokens: z.number(), prompt_tokens_details: z.object({ cached_tokens: z.number() }) }),
});
const made = z.object({ secret: z.string(), key: z.object({ id: z.number(), isolate: z.boolean() }) });
const secretText = Array.from({ length: 300 }, (_, at) => `secret${at}`).join(" ");

let server: RunningServer;
const start = (home?: string) =>
  startServer({
    ...(home === undefined ? {} : { home }),
    environment: { LANTHORN_ENGINE_KV_STORE: "disk", LANTHORN_ENGINE_SLOTS: "2", LANTHORN_ENGINE_CONTEXT: "4096" },
  });
beforeAll(async () => {
  server = await start();
}, 60_000);
afterAll(() => server.remove());

async function admin(method: string, path: string, body?: object): Promise<unknown> {
  const authorization = `Bearer ${readFileSync(join(server.home, "admin.key"), "utf8").trim()}`;
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.ok).toBe(true);
  return response.json();
}

/** Cached tokens of the secret text, asked with this key. */
async function cached(key: string): Promise<number> {
  const body = { model: "lanthorn-demo", messages: [{ role: "user", content: secretText }], max_tokens: 4 };
  const response = await postChat(server.url, body, { headers: { authorization: `Bearer ${key}` } });
  return usage.parse(await response.json()).usage.prompt_tokens_details.cached_tokens;
}

test("an isolated key sees no hit on what others sent, and others none on what it sent; its files go with it", async () => {
  const ayo = made.parse(await admin("POST", "/admin/keys", { name: "ayo" }));
  const lin = made.parse(await admin("POST", "/admin/keys", { name: "lin" }));
  const spy = made.parse(await admin("POST", "/admin/keys", { name: "spy", isolate: true }));
  expect([ayo.key.isolate, spy.key.isolate]).toEqual([false, true]);

  expect(await cached(ayo.secret)).toBe(0);
  expect(await cached(lin.secret)).toBeGreaterThan(300);
  expect(await cached(spy.secret)).toBe(0);
  expect(await cached(spy.secret)).toBeGreaterThan(300);

  // Nor after a restart, where both are found on disk.
  await server.stop();
  const { home } = server;
  const groups = () =>
    readdirSync(join(home, "kv"))
      .flatMap((model) => readdirSync(join(home, "kv", model)))
      .sort();
  expect(groups()).toEqual([`key-${spy.key.id}`, "model.json", "shared"]);
  const first = server;
  server = await start(home);
  try {
    const other = made.parse(await admin("POST", "/admin/keys", { name: "other spy", isolate: true }));
    expect(await cached(other.secret)).toBe(0);
    expect(await cached(spy.secret)).toBeGreaterThan(300);
    expect(await cached(ayo.secret)).toBeGreaterThan(300);

    await admin("DELETE", `/admin/keys/${spy.key.id}`);
    expect(groups()).not.toContain(`key-${spy.key.id}`);
    await server.stop();
    // What its slot held was not saved again.
    expect(groups()).toEqual([`key-${other.key.id}`, "model.json", "shared"]);
  } finally {
    await server.remove();
    server = first;
  }
  // Two starts, on a machine that may be busy.
}, 120_000);
