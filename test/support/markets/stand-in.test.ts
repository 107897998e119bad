/** The stand-in markets themselves: their clock and their meter, against sums by hand; and as programs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { full } from "../../support/full.ts";
import { until } from "../real-engine.ts";
import { lanthornMachines } from "./lanthorn-machine.ts";
import { MarketClock } from "./market-clock.ts";
import { startRunpodMarket } from "./runpod.ts";
import type { StandIn, StandInOptions } from "./stand-in.ts";
import { startVastMarket } from "./vast.ts";

const startMs = Date.UTC(2026, 10, 27, 23);

async function still(options: StandInOptions = {}, start = startVastMarket): Promise<StandIn> {
  const standIn = await start({ speed: 0, startMs, bootMs: 60_000, ...options });
  onTestFinished(() => standIn.close());
  return standIn;
}

function rent({ house }: StandIn, wish: { bid?: string; diskGb?: number } = {}) {
  const [offer] = house.offers;
  if (offer === undefined) throw new Error("no offer");
  const bid = wish.bid ?? null;
  return house.rent(offer, { label: "l", isBid: bid !== null, bid, diskGb: wish.diskGb ?? 0, environment: {} });
}

describe("the clock", () => {
  test("has what is due happen in order, each at its own moment, and what that makes due as well", () => {
    const clock = new MarketClock(0, 1_000);
    const seen: string[] = [];
    clock.at(1_300, () => seen.push(`late ${clock.now()}`));
    clock.at(1_100, () => {
      seen.push(`early ${clock.now()}`);
      clock.at(1_200, () => seen.push(`next ${clock.now()}`));
    });
    const cancel = clock.at(1_150, () => seen.push("never"));
    cancel();
    clock.advance(250);
    expect([seen, clock.now()]).toEqual([["early 1100", "next 1200"], 1_250]);
    clock.advance(50);
    expect(seen).toEqual(["early 1100", "next 1200", "late 1300"]);
  });

  test("runs at its speed by itself", async () => {
    const clock = new MarketClock(1_000, 0);
    const dueMs = await new Promise<number>((resolve) => clock.at(20_000, () => resolve(clock.now())));
    expect(dueMs).toBe(20_000);
    clock.stop();
  });
});

describe("the meter", () => {
  test("bills GPU from the moment it runs and the disk from the moment it is made, over midnight, to the billionth", async () => {
    const standIn = await still({ offers: [{ price: "0.36", storage: "0.72" }] });
    const one = rent(standIn, { diskGb: 36 });
    standIn.house.advance(2 * 3_600_000);
    // A minute of booting before the first hour ends at midnight. 36 GB at $0.72 for a GB and month of 720 hours are $0.036 an hour.
    expect(standIn.house.bill(one.id)).toEqual([
      { day: "2026-11-27", gpuNanos: 354_000_000, storageNanos: 36_000_000, trafficNanos: 0 },
      { day: "2026-11-28", gpuNanos: 360_000_000, storageNanos: 36_000_000, trafficNanos: 0 },
    ]);
    expect(standIn.house.totalNanos()).toBe(786_000_000);
    standIn.house.set(one, "gone");
    standIn.house.advance(3_600_000);
    expect(standIn.house.totalNanos()).toBe(786_000_000);
  });

  test("what was agreed to holds whatever the offer asks since then; a bid is money from the moment it is changed", async () => {
    const standIn = await still({ bootMs: 0 });
    const { house } = standIn;
    const [agreed, bidding] = [rent(standIn), rent(standIn, { bid: "0.15" })];
    house.advance(3_600_000);
    const [offer] = house.offers;
    if (offer !== undefined) house.change(offer, { price: "9.99" });
    house.changeBid(bidding, "0.2");
    house.advance(3_600_000);
    const gpu = (id: string) => house.bill(id).reduce((sum, { gpuNanos }) => sum + gpuNanos, 0);
    expect([gpu(agreed.id), gpu(bidding.id)]).toEqual([440_000_000, 350_000_000]);
  });

  test("who is beaten pays the disk only, waits until its bid is the best again, and runs then", async () => {
    const standIn = await still({ bootMs: 0, offers: [{ storage: "0" }] });
    const { house } = standIn;
    const one = rent(standIn, { bid: "0.2" });
    house.advance(3_600_000);
    house.outbid(one);
    house.start(one);
    house.advance(3_600_000);
    expect(one).toMatchObject({ state: "stopped", words: "outbid", meantToRun: true });
    expect(house.totalNanos()).toBe(200_000_000);
    house.changeBid(one, "0.22");
    house.advance(3_600_000);
    expect([one.state, house.totalNanos()]).toEqual(["running", 420_000_000]);
  });

  test("every byte of a door is traffic, and a stopped pod's disk costs twice, its second disk nothing", async () => {
    const vast = await still({ offers: [{ price: "1", storage: "0", traffic: "0.02" }] });
    const one = rent(vast);
    vast.house.traffic(one, 50_000_000_000);
    expect(vast.house.totalNanos()).toBe(1_000_000_000);
    const runpod = await still({ bootMs: 0, offers: [{ price: "0.1", storage: "0.73" }] }, startRunpodMarket);
    const [offer] = runpod.house.offers;
    if (offer === undefined) throw new Error("no offer");
    const disks = { diskGb: 10, scratchGb: 5 };
    const pod = runpod.house.rent(offer, { label: "l", isBid: false, bid: null, environment: {}, ...disks });
    runpod.house.advance(3_600_000);
    expect(runpod.house.totalNanos()).toBe(100_000_000 + 15_000_000);
    runpod.house.stop(pod);
    runpod.house.advance(3_600_000);
    expect(runpod.house.totalNanos()).toBe(100_000_000 + 15_000_000 + 20_000_000);
  });
});

describe("the way in", () => {
  test("leads to what runs there while it runs, by a port or through the market's proxy, and counts what passes", async () => {
    const inner = createServer((request, response) => void response.end(`heard ${request.url}`));
    await new Promise<void>((resolve) => inner.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void inner.close());
    const runs = `127.0.0.1:${(inner.address() as AddressInfo).port}`;
    const runpod = await still({ bootMs: 0, runs }, startRunpodMarket);
    const pod = rent(runpod);
    runpod.house.advance(1);
    await ready(() => pod.port !== null);
    const proxy = `${new URL(runpod.url).origin}/proxy/${pod.id}-4747`;
    expect(await (await fetch(`${proxy}/v1/models?x=1`)).text()).toBe("heard /v1/models?x=1");
    expect(await (await fetch(`http://127.0.0.1:${pod.port}/health`)).text()).toBe("heard /health");
    expect(runpod.house.totalNanos()).toBeGreaterThan(0);
    runpod.house.outbid(pod);
    expect((await fetch(`${proxy}/health`)).status).toBe(404);
  });
});

describe.runIf(full)("a real Lanthorn in an instance", () => {
  test("runs with the environment of the order and the market's own key, is killed when outbid, and finds its disk again", async () => {
    const machines = lanthornMachines(() => standIn.url);
    const standIn: StandIn = await startVastMarket({ bootMs: 100, runs: machines.start });
    onTestFinished(async () => {
      await standIn.close();
      await machines.remove();
    });
    const [offer] = standIn.house.offers;
    if (offer === undefined) throw new Error("no offer");
    const key = "the-first-key-of-this-machine-0123456789abcdef";
    const environment = { LANTHORN_FIRST_KEY: key, LANTHORN_ADMIN_KEY: "the-admin-key-of-this-machine" };
    const one = standIn.house.rent(offer, { label: "l", isBid: true, bid: "0.2", diskGb: 40, environment });
    const answers = async (path: string) => {
      if (one.port === null) return null;
      const headers = { authorization: `Bearer ${key}` };
      return fetch(`http://127.0.0.1:${one.port}${path}`, { headers }).then(
        (answer) => answer.status,
        () => null,
      );
    };
    await until("it answers its own key", async () => (await answers("/v1/models")) === 200);
    const admin = { authorization: "Bearer the-admin-key-of-this-machine" };
    const state = (await (
      await fetch(`http://127.0.0.1:${one.port}/admin/state`, { headers: admin })
    ).json()) as object;
    expect(state).toMatchObject({ box: { rental: { market: "vast", instanceId: one.id, canEndItself: true } } });
    standIn.house.outbid(one);
    await until("nothing answers", async () => (await answers("/health")) === null);
    standIn.house.resume(one);
    await until("the same key is known on the same disk", async () => (await answers("/v1/models")) === 200);
    standIn.house.stop(one);
    await until("it is gone", async () => (await answers("/health")) === null);
    expect(standIn.house.calls).toEqual([]);
  });
});

async function ready(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test.each(["vast", "runpod"])(
  "%s runs alone: one line says where, its control surface plays the world",
  async (name) => {
    const flags = ["--port", "0", "--script", "outbid", "--speed", "60", "--boot-ms", "60000"];
    const program = spawn(process.execPath, [join(import.meta.dirname, `${name}.ts`), ...flags], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const gone = once(program, "exit");
    const [line] = await once(createInterface({ input: program.stdout }), "line");
    const { controlUrl, url, key } = JSON.parse(String(line)) as { controlUrl: string; url: string; key: string };
    const post = (path: string, body: object = {}) =>
      fetch(`${controlUrl}/${path}`, { method: "POST", body: JSON.stringify(body) });
    const before = (await (await post("state")).json()) as { nowMs: number };
    expect((await post("offers/1", { price: "0.5", available: false })).status).toBe(200);
    expect((await post("offers/77")).status).toBe(404);
    await post("advance", { ms: 3_600_000 });
    const after = (await (await post("state")).json()) as { nowMs: number; offers: object[]; calls: string[] };
    expect(after.nowMs - before.nowMs).toBeGreaterThanOrEqual(3_600_000);
    expect(after).toMatchObject({ offers: [{ price: "0.5", available: false }], calls: [], faults: [["outbid", 1]] });
    const list = name === "vast" ? url.replace(/v0$/, "v1/instances/") : `${url}/pods`;
    expect((await fetch(list)).status).toBe(401);
    expect((await fetch(list, { headers: { authorization: `Bearer ${key}` } })).status).toBe(200);
    program.kill("SIGTERM");
    expect(await gone).toEqual([0, null]);
  },
);
