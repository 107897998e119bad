/**
 * The whole room against a market: a home with leases, ledger and targets, a stand-in of Vast.ai whose instances lead to another real box,
 * a stand-in vendor as the fallback; all clocks twenty times as fast. Rent at a bid, serve, be outbid, fail over, come back, fall idle, be
 * woken by a request that waits.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LeaseView } from "../../server/domain/rental/lease.ts";
import { adminOf } from "../support/box-client.ts";
import { fastClock } from "../support/fast-clock.ts";
import { full } from "../support/full.ts";
import type { StandIn } from "../support/markets/stand-in.ts";
import { startVastMarket } from "../support/markets/vast.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { temporaryFolder } from "../support/real-engine.ts";
import { postChat, readStream } from "../support/sse.ts";
import { startVendor, type Vendor } from "../support/vendors/vendor.ts";

const speed = 20;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let machine: RealBox;
let market: StandIn;
let vendor: Vendor;
let home: RealBox;

const ask = { messages: [{ role: "user", content: "hello" }], temperature: 0, seed: 1, max_tokens: 6 };
const targetOf = (answer: { readonly headers: Headers }) => answer.headers.get("x-lanthorn-target");
const lease = async (): Promise<LeaseView> => {
  const { leases } = (await (await adminOf(home).call("GET", "/admin/rentals?ended=true")).json()) as {
    leases: LeaseView[];
  };
  const [only] = leases;
  if (only === undefined || leases.length > 1) throw new Error(`${leases.length} leases`);
  return only;
};
/** Asks until it is so; a minute of real time at most. */
async function became(state: LeaseView["state"]): Promise<LeaseView> {
  for (let tries = 0; tries < 600; tries += 1) {
    const seen = await lease();
    if (seen.state === state) return seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`it is ${(await lease()).state}, not ${state}`);
}

describe.runIf(full)("a rented target, from the first request to the second boot", () => {
  beforeAll(async () => {
    folder = await temporaryFolder();
    machine = await realBox({ LANTHORN_AUTH: "always" });
    const made = await adminOf(machine).call("POST", "/admin/keys", { name: "home" });
    const keyFile = join(folder.path, "den.key");
    writeFileSync(keyFile, ((await made.json()) as { secret: string }).secret, { mode: 0o600 });
    market = await startVastMarket({ speed, bootMs: 40_000, runs: new URL(machine.started.url).host });
    vendor = await startVendor({ wire: "openai", models: ["stand-in"] });
    const rental = {
      ...{ market: "vast", models: ["lanthorn-demo"], gpu: "RTX 3090", kind: "bid", bidUsdPerHour: "0.20", keyFile },
      ...{ mostUsdPerHour: "0.50", mayRent: true, idleStopMs: 90_000, image: "lanthorn" },
    };
    const environment = {
      LANTHORN_PROVIDERS: JSON.stringify({ acme: { type: "custom", baseUrl: vendor.baseUrl, models: ["stand-in"] } }),
      LANTHORN_MARKETS: JSON.stringify({ vast: { baseUrl: market.url, tls: "off" } }),
      LANTHORN_MARKET_VAST_KEY: market.key,
      LANTHORN_RENTALS: JSON.stringify({ den: rental }),
      LANTHORN_ROUTES: JSON.stringify({
        coder: ["den/lanthorn-demo", "acme/stand-in"],
        patient: { targets: ["den/lanthorn-demo"], whileAsleep: "wait" },
      }),
    };
    home = await realBox(environment, { clock: fastClock(speed), environment });
  });
  afterAll(async () => {
    await home.stop();
    await market.close();
    await vendor.stop();
    await machine.stop();
    await folder.remove();
  });

  test("ten at once rent one machine at the bid while the fallback answers; ready, it answers", async () => {
    const all = await Promise.all(
      Array.from({ length: 10 }, () => postChat(home.started.url, { ...ask, model: "coder" })),
    );
    expect(all.map(targetOf)).toEqual(Array(10).fill("acme/stand-in"));
    const ready = await became("ready");
    expect(ready).toMatchObject({ rental: "den", kind: "bid", bidPerHourNanos: 200_000_000 });
    expect(market.house.rented).toHaveLength(1);
    expect(market.house.rented[0]).toMatchObject({ bid: expect.stringMatching(/^0\.20?$/), isBid: true });
    const answer = await postChat(home.started.url, { ...ask, model: "coder" });
    expect(targetOf(answer)).toBe("den/lanthorn-demo");
    expect((await lease()).tokensServed).toBeGreaterThan(0);
  });

  test("outbid, it is left alone and the route goes on; back again, it takes traffic", async () => {
    const [rented] = market.house.rented;
    if (rented === undefined) throw new Error("nothing is rented");
    market.house.outbid(rented);
    const during = await postChat(home.started.url, { ...ask, model: "coder" });
    expect(during.status).toBe(200);
    expect(targetOf(during)).toBe("acme/stand-in");
    expect(await became("interrupted")).toMatchObject({ interruptions: 1 });
    market.house.resume(rented);
    await became("ready");
    expect(targetOf(await postChat(home.started.url, { ...ask, model: "coder" }))).toBe("den/lanthorn-demo");
  });

  test("idle, it is stopped; a request that waits starts it again and is answered by it", async () => {
    await became("stopped");
    expect(market.house.rented[0]).toMatchObject({ state: "stopped", meantToRun: false });
    const stream = await readStream(home.started.url, { ...ask, model: "patient" });
    expect(stream.status).toBe(200);
    expect(stream.body).toContain("x-lanthorn-target=den/lanthorn-demo");
    expect(stream.data.at(-1)).toBe("[DONE]");
    expect(market.house.rented).toHaveLength(1);
    const { burn } = await became("ready");
    const ours = burn.gpuNanos + burn.storageNanos;
    // To the cent, at a moment that both clocks take for now.
    expect(Math.abs(ours - market.house.totalNanos())).toBeLessThan(10_000_000);
  });
});
