/** A rented machine as its market, its home and its clients see it: a whole server process, headless, that ends as it should. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../server/platform/clock.ts";
import { openHomeKey } from "../../server/rental/home/home-key.ts";
import { createNotices } from "../../server/rental/home/notices.ts";
import { startVastMarket } from "../support/markets/vast.ts";
import { until } from "../support/real-engine.ts";
import { startServer } from "../support/running-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const firstKey = "the-first-key-of-this-machine-0123456789abcdef";
const adminKey = "the-admin-key-of-this-machine";
const ownKey = "the-market's-key-for-this-machine";

async function rentedServer(environment: Record<string, string>) {
  const server = await startServer({
    environment: {
      LANTHORN_HEADLESS: "true",
      LANTHORN_ADMIN_KEY: adminKey,
      LANTHORN_RENTAL_MARKET: "vast",
      CONTAINER_ID: "7",
      CONTAINER_API_KEY: ownKey,
      ...environment,
    },
  });
  onTestFinished(() => server.remove());
  const keyed = (key: string) => ({ authorization: `Bearer ${key}`, "content-type": "application/json" });
  return {
    ...server,
    state: async () =>
      (await (await fetch(`${server.url}/admin/state`, { headers: keyed(adminKey) })).json()) as {
        box: { rental: { canEndItself: boolean; home: { heardAt: number } | null } };
        idle: { next: string | null };
      },
    post: (path: string, body: object) =>
      fetch(server.url + path, { method: "POST", headers: keyed(firstKey), body: JSON.stringify(body) }),
  };
}

test("a dead-man switch ends a machine whose home died: kill -9, and its market is asked until it does it", async () => {
  const market = await startVastMarket();
  onTestFinished(() => market.close());
  const { house } = market;
  const [offer] = house.offers;
  if (offer === undefined) throw new Error("the stand-in has an offer");
  const wish = { label: "lanthorn-test-1", isBid: false, diskGb: 10, bid: null, environment: {} };
  const { id } = house.rent(offer, wish);
  house.faults.set("errors-500", 1);
  const keyFile = join(temporaryFolder(), "home.key");
  const silenceMs = 3_000;
  const server = await rentedServer({
    CONTAINER_ID: id,
    CONTAINER_API_KEY: `key-of-${id}`,
    LANTHORN_MARKET_URL: market.url,
    LANTHORN_HOME_PUBLIC_KEY: openHomeKey(keyFile).publicKey,
    LANTHORN_HOME_SILENCE_MS: String(silenceMs),
    LANTHORN_HOME_WHEN_SILENT: "destroy-rental",
  });
  const home = spawn(
    process.execPath,
    [join(import.meta.dirname, "../support/beating-home.ts"), keyFile, server.url, id, "200"],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const gone = once(home, "exit");
  const beats = createInterface({ input: home.stdout });
  // Longer than the silence, counted from the server's start.
  const untilMs = performance.now() + silenceMs;
  while (performance.now() < untilMs) {
    const [line] = await Promise.race([once(beats, "line"), gone]);
    expect(line).toMatch(/^heard/);
  }
  const { box } = await server.state();
  expect(box.rental).toMatchObject({ market: "vast", instanceId: id, canEndItself: true, ending: null });
  expect(house.calls).toEqual([]);

  home.kill("SIGKILL");
  await gone;
  await until("the market has ended it", () => house.find(id) === undefined);
  expect(house.calls).toEqual([`DELETE /instances/${id}/ {}`, `DELETE /instances/${id}/ {}`]);
  const billed = house.totalNanos();
  house.advance(86_400_000);
  expect(house.totalNanos()).toBe(billed);
  expect(server.stderr()).toMatch(/home was not heard for \d+ s/);
  expect(server.stderr()).toContain("this machine still costs what it did");
  // Its door is closed already, and the process waits for its market to end it.
  await expect(fetch(`${server.url}/health`)).rejects.toThrow();
  expect(server.process.exitCode).toBeNull();
  // Twice asked to end, it does not wait.
  server.process.kill("SIGTERM");
  const [code] = await once(server.process, "exit");
  expect(code).toBe(0);
  expect(server.stderr()).toContain("look there whether this machine still costs");
  for (const secret of [`key-of-${id}`, adminKey, firstKey]) expect(server.stderr()).not.toContain(secret);
});

/** The text of a stream, and when its second word has come. */
function readWords(response: Response): { readonly begun: Promise<void>; readonly whole: Promise<string> } {
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const read = async () => {
    let text = "";
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.split('"finish_reason":null').length > 3) begin();
    }
    begin();
    return text;
  };
  return { begun, whole: read() };
}

/** So long that none of them ends by itself. */
const endless = { model: "lanthorn-demo", stream: true, ignore_eos: true, max_tokens: 1_000_000 };
const messages = [{ role: "user", content: "hello" }];

test("SIGTERM on a rented machine: streams end with an error that clients retry, rows are whole, home is told, in 5 s", async () => {
  const notices: [string, string][] = [];
  const take = createNotices({
    clock: systemClock,
    firstKeyOf: (instance) => (instance === "7" ? firstKey : null),
    notice: (instance, reason) => void notices.push([instance, reason]),
  });
  const home = createServer((request, response) => {
    let text = "";
    request.on("data", (part) => (text += part));
    request.on("end", () => {
      expect(text).not.toContain(firstKey);
      response.end(JSON.stringify(request.url === "/rental/notice" ? take(JSON.parse(text)) : {}));
    });
  });
  await new Promise<void>((resolve) => home.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void home.close());
  const server = await rentedServer({
    LANTHORN_FIRST_KEY: firstKey,
    // The demo model's context is full in some seconds.
    LANTHORN_SHUTDOWN_GRACE_MS: "200",
    LANTHORN_HOME_URL: `http://127.0.0.1:${(home.address() as AddressInfo).port}`,
  });

  const streams = await Promise.all([
    server.post("/v1/chat/completions", { ...endless, messages }),
    server.post("/v1/chat/completions", { ...endless, messages }),
    server.post("/v1/completions", { ...endless, prompt: "hello" }),
  ]);
  const texts = streams.map(readWords);
  await Promise.all(texts.map(({ begun }) => begun));
  expect(streams.map(({ status }) => status)).toEqual([200, 200, 200]);
  const toldAtMs = performance.now();
  server.process.kill("SIGTERM");
  const answers = await Promise.all(texts.map(({ whole }) => whole));
  const [code] = await once(server.process, "exit");
  const tookMs = performance.now() - toldAtMs;

  expect(code).toBe(0);
  expect(tookMs).toBeLessThan(5 * 5_000);
  for (const answer of answers) {
    expect(answer.slice(-400)).toMatch(
      /data: \{"error":\{[^\n]*"type":"server_error"[^\n]*"code":"shutting_down"[^\n]*\n\n(: [^\n]*\n\n)?$/,
    );
    expect(answer.includes("[DONE]")).toBe(false);
  }
  expect(notices).toEqual([["7", "SIGTERM"]]);

  const ledger = new Database(join(server.home, "ledger.db"), { readonly: true });
  const rows = ledger.prepare("SELECT status, failure_code, completion_tokens AS tokens FROM requests").all();
  ledger.close();
  const row = { status: "interrupted", failure_code: "shutting_down", tokens: expect.any(Number) };
  expect(rows).toEqual([row, row, row]);
  for (const { tokens } of rows as { tokens: number }[]) expect(tokens).toBeGreaterThan(0);
});
