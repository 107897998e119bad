/**
 * Home is killed with -9 at twenty random moments of a rental's story (rent at a bid, serve, outbid, back, idle stop, woken, destroyed).
 * After each start: every machine at the market has a lease or is listed as an orphan. At the end: nothing is left there, and what was counted
 * is never less than the market's own meter. Three days later one more home settles it by the market's bill: then the ledger is the meter
 * to the cent. The seed is printed; `LANTHORN_SEED=7 npm run test:long -- rental-kills` plays one again.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { paidNanos } from "../../server/domain/rental/burn.ts";
import type { LeaseView, Orphan } from "../../server/domain/rental/lease.ts";
import { dataPaths } from "../../server/platform/paths.ts";
import { adminOf } from "../support/box-client.ts";
import { startVastMarket } from "../support/markets/vast.ts";
import type { StandIn } from "../support/markets/stand-in.ts";
import { seeded } from "../support/random.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { temporaryFolder } from "../support/real-engine.ts";
import type { HomeWish } from "../support/rental/home-child.ts";
import { postChat } from "../support/sse.ts";
import { startVendor, type Vendor } from "../support/vendors/vendor.ts";

const speed = 20;
const kills = 20;
const seed = Number(process.env.LANTHORN_SEED ?? 1);
const program = join(import.meta.dirname, "../support/rental/home-child.ts");
const epochMs = Date.now();
const daysLater = 3 * 86_400_000;
const cent = 10_000_000;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let machine: RealBox;
let market: StandIn;
let vendor: Vendor;
let environment: Record<string, string>;
let home: { readonly child: ChildProcess; readonly url: string } | null = null;

async function start(aheadMs = 0): Promise<string> {
  const wish: HomeWish = { environment, speed, epochMs, aheadMs };
  const child = spawn(process.execPath, [program, JSON.stringify(wish)], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: child.stdout ?? process.stdin }), "line")) as [string];
  home = { child, url: (JSON.parse(line) as { url: string }).url };
  return home.url;
}

async function kill(): Promise<void> {
  if (home === null) return;
  const { child } = home;
  home = null;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

async function admin<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  const { url } = home ?? { url: "" };
  const key = readFileSync(dataPaths(environment).adminKey, "utf8").trim();
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}
const leases = async () => (await admin<{ leases: LeaseView[] }>("GET", "/admin/rentals?ended=true")).leases;

beforeAll(async () => {
  folder = await temporaryFolder();
  machine = await realBox({ LANTHORN_AUTH: "always" });
  const made = await adminOf(machine).call("POST", "/admin/keys", { name: "home" });
  const keyFile = join(folder.path, "den.key");
  writeFileSync(keyFile, ((await made.json()) as { secret: string }).secret, { mode: 0o600 });
  market = await startVastMarket({ speed, startMs: epochMs, bootMs: 40_000, runs: new URL(machine.started.url).host });
  vendor = await startVendor({ wire: "openai", models: ["stand-in"] });
  const rental = {
    ...{ market: "vast", models: ["lanthorn-demo"], gpu: "RTX 3090", kind: "bid", bidUsdPerHour: "0.20", keyFile },
    ...{ mostUsdPerHour: "0.50", mayRent: true, idleStopMs: 90_000, image: "lanthorn" },
  };
  environment = {
    ...{ LANTHORN_HOME: join(folder.path, "home"), LANTHORN_PORT: "0", LANTHORN_HARDWARE_SAMPLE_MS: "0" },
    LANTHORN_PROVIDERS: JSON.stringify({ acme: { type: "custom", baseUrl: vendor.baseUrl, models: ["stand-in"] } }),
    LANTHORN_MARKETS: JSON.stringify({ vast: { baseUrl: market.url, tls: "off" } }),
    LANTHORN_MARKET_VAST_KEY: market.key,
    LANTHORN_RENTALS: JSON.stringify({ den: rental }),
    LANTHORN_ROUTES: JSON.stringify({ coder: ["den/lanthorn-demo", "acme/stand-in"] }),
  };
});
afterAll(async () => {
  await kill();
  await market.close();
  await vendor.stop();
  await machine.stop();
  await folder.remove();
});

test(`twenty kills in a rental's story leave nothing burning and a ledger that agrees (seed ${seed})`, async () => {
  const random = seeded(seed);
  const ask = {
    messages: [{ role: "user", content: "hello" }],
    temperature: 0,
    seed: 1,
    max_tokens: 4,
    model: "coder",
  };
  const chat = async (url: string) => {
    const answer = await postChat(url, ask).catch(() => null);
    // Nobody who is answered at all is answered with less than the truth.
    if (answer !== null) expect(answer.status).toBe(200);
  };
  for (let killed = 0; killed < kills; killed += 1) {
    const url = await start();
    await wait(300);
    // Whatever the crash left: each machine is known, by a lease or as an orphan.
    const { orphans, unread } = await admin<{ orphans: Orphan[]; unread: string[] }>("GET", "/admin/rentals/orphans");
    expect(unread).toEqual([]);
    const known = new Set([
      ...(await leases()).filter(({ state }) => state !== "ended").map(({ instanceId }) => instanceId),
    ]);
    const there = market.house.alive().map(({ id }) => id);
    expect([...orphans.map(({ instanceId }) => instanceId)].sort()).toEqual(
      there.filter((id) => !known.has(id)).sort(),
    );
    // Some of the story, until it is cut off.
    const dueMs = performance.now() + 200 + random.number() * 5_000;
    const story = (async () => {
      while (home !== null) {
        await chat(url);
        const one = market.house.alive()[0];
        const dice = random.below(12);
        if (one !== undefined && dice === 0) market.house.outbid(one);
        if (one !== undefined && dice <= 3) market.house.resume(one);
        if (dice === 4) {
          const lease = (await leases().catch(() => [])).find(({ state }) => state === "ready");
          if (lease !== undefined) await admin("POST", `/admin/rentals/${lease.id}/destroy`, {}).catch(() => {});
        }
        await wait(random.below(dice === 5 ? 5_500 : 300));
      }
    })();
    await wait(Math.max(0, dueMs - performance.now()));
    await kill();
    await story;
  }
  await start();
  await wait(500);
  for (const { id, state } of await leases())
    if (state !== "ended") await admin("POST", `/admin/rentals/${id}/destroy`, {});
  await admin("POST", "/admin/rentals/orphans/end", {}).catch(() => {});
  for (let tries = 0; tries < 300 && market.house.alive().length > 0; tries += 1) await wait(100);
  for (let tries = 0; tries < 300 && (await leases()).some(({ state }) => state !== "ended"); tries += 1)
    await wait(100);
  expect(market.house.alive()).toEqual([]);
  expect((await leases()).filter(({ state }) => state !== "ended")).toEqual([]);
  await kill();
  const sumOf = (what: string) => {
    const database = new Database(dataPaths(environment).ledger, { readonly: true });
    const { nanos } = database.prepare(`SELECT coalesce(sum(${what}), 0) AS nanos FROM ${tableOf(what)}`).get() as {
      nanos: number;
    };
    database.close();
    return nanos;
  };
  const counted = sumOf("gpu_nanos + storage_nanos + traffic_nanos");
  const theirs = market.house.totalNanos();
  // Its bill is there two days later, and one more home takes it over by itself.
  market.house.advance(daysLater);
  await start(daysLater);
  const days = new Set(market.house.rented.flatMap(({ id }) => market.house.bill(id).map(({ day }) => `${day} ${id}`)));
  for (let tries = 0; tries < 300 && sumOf("1 + 0 * billed_nanos") < days.size; tries += 1) await wait(100);
  const paid = (await leases()).reduce((sum, { burn }) => sum + paidNanos(burn), 0);
  await kill();
  const settled = counted + sumOf("billed_nanos - counted_nanos");
  const rented = market.house.rented.length;
  console.log(
    JSON.stringify({ seed, rented, counted, theirs, tooMuch: counted - theirs, settled, difference: settled - theirs }),
  );
  expect(theirs).toBeGreaterThan(0);
  // Never burning unseen.
  expect(counted).toBeGreaterThan(theirs - cent);
  expect(market.house.totalNanos()).toBe(theirs);
  expect(Math.abs(settled - theirs)).toBeLessThan(cent);
  expect(paid).toBe(settled);
}, 600_000);

const tableOf = (what: string) => (what.includes("billed") ? "lease_settlements" : "lease_burn");
