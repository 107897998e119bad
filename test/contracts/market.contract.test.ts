/** What every market must do, beside a stand-in that speaks its wire and keeps its own meter. */
import { Response } from "undici";
import { afterEach, describe, expect, test } from "vitest";
import { marketSetting } from "../../server/config/rental-setting.ts";
import { addDays, startOfUtcDay, utcDayOf } from "../../server/domain/day.ts";
import { nanosOfAttos } from "../../server/domain/reconcile/exact-amount.ts";
import { createUpstreamFetch } from "../../server/platform/upstream/upstream-fetch.ts";
import { systemClock } from "../../server/platform/clock.ts";
import type { RentalOrder } from "../../server/domain/rental/market.ts";
import type { Market } from "../../server/rental/market.ts";
import { marketTypes } from "../../server/rental/markets/index.ts";
import { openMarkets } from "../../server/rental/open-markets.ts";
import { startRunpodMarket } from "../support/markets/runpod.ts";
import type { ScriptName } from "../support/markets/scripts.ts";
import type { StandIn, StandInOptions } from "../support/markets/stand-in.ts";
import { startVastMarket } from "../support/markets/vast.ts";

const signal = new AbortController().signal;
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const standIns: Readonly<Record<string, (options: StandInOptions) => Promise<StandIn>>> = {
  vast: startVastMarket,
  runpod: startRunpodMarket,
};

async function marketOf(type: string, options: StandInOptions = {}): Promise<{ market: Market; standIn: StandIn }> {
  const standIn = await (standIns[type] ?? startVastMarket)({ bootMs: 1_000, speed: 100, ...options });
  const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
  open.push(
    () => standIn.close(),
    () => upstream.close(),
  );
  const [market] = openMarkets({
    settings: { [type]: marketSetting.parse({ baseUrl: standIn.url }) },
    environment: { [`LANTHORN_MARKET_${type.toUpperCase()}_KEY`]: standIn.key },
    ...{ upstream, home: "/", clock: systemClock, localOnly: false, knowSecret: () => {} },
  });
  if (market === undefined) throw new Error("there is no market");
  return { market, standIn };
}

function orderOf(offerId: string, bid: number | null = null): RentalOrder {
  return {
    ...{ offerId, label: "lanthorn-box-1", kind: bid === null ? "on-demand" : "bid", bidPerHourNanos: bid },
    ...{ gpu: "RTX 3090", gpuCount: 1, diskBytes: 40e9, image: "lanthorn", port: 4747, environment: { A: "1" } },
    ...{ onStart: "", volumeId: null },
  };
}

async function listed(market: Market, id: string, state: string) {
  for (;;) {
    const { instances } = await market.instances(signal);
    const one = instances.find(({ instanceId }) => instanceId === id);
    if (one?.state === state) return one;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("the registry and the stand-ins cover each other, and what has no API is told apart", () => {
  expect(Object.keys(marketTypes)).toEqual([...Object.keys(standIns), "static"]);
});

describe.each(Object.keys(standIns))("%s", (type) => {
  test("offers in our units: whole nano-USD, bytes, the disk that was asked for", async () => {
    const { market } = await marketOf(type);
    const { offers, rejected } = await market.offers({ gpu: "rtx3090", gpuCount: 1, diskBytes: 73e9 }, signal);
    expect(rejected).toEqual([]);
    expect(offers).toHaveLength(1);
    expect(offers[0]).toMatchObject({ market: type, kind: "on-demand", gpu: "RTX 3090", gpuCount: 1 });
    // $0.10 for a GB and month: of 730 hours at RunPod, where 73 GB are a cent an hour, of 720 at Vast.ai. RunPod's second disk has
    // 20 GB more while it runs.
    const storagePerHourNanos = type === "runpod" ? 12_739_726 : 10_138_889;
    const stoppedStoragePerHourNanos = type === "runpod" ? 20_000_000 : 10_138_889;
    expect(offers[0]?.rates).toMatchObject({
      ...{ gpuPerHourNanos: 220_000_000, storagePerHourNanos, stoppedStoragePerHourNanos },
    });
    expect(offers[0]?.vramBytes).toBeGreaterThan(23e9);
    expect((await market.offers({ gpu: "H100" }, signal)).offers).toEqual([]);
    expect((await market.offers({ mostPerHourNanos: 100_000_000 }, signal)).offers).toEqual([]);
  });

  test("rents, lists, stops, starts and destroys; what is gone is gone", async () => {
    const { market, standIn } = await marketOf(type);
    const { offers } = await market.offers({}, signal);
    const { instanceId } = await market.create(orderOf(offers[0]?.offerId ?? ""), signal);
    expect(await listed(market, instanceId, "running")).toMatchObject({ label: "lanthorn-box-1", kind: "on-demand" });
    expect(await market.stop(instanceId, signal)).toBe("done");
    await listed(market, instanceId, "stopped");
    expect(await market.start(instanceId, signal)).toBe("done");
    const running = await listed(market, instanceId, "running");
    expect(running.rates?.gpuPerHourNanos).toBe(220_000_000);
    expect(await market.destroy(instanceId, signal)).toBe("done");
    expect((await market.instances(signal)).instances).toEqual([]);
    expect(await market.destroy(instanceId, signal)).toBe("gone");
    expect(await market.start(instanceId, signal)).toBe("gone");
    expect(standIn.house.rented[0]).toMatchObject({ isBid: false, bid: null, environment: { A: "1" } });
  });

  test("bills what its own meter counted, to what it writes down", async () => {
    // Its clock is moved by hand and begins at eight in the evening, so that the bill has two days.
    const evening = startOfUtcDay(utcDayOf(Date.now())) + 20 * 3_600_000;
    const { market, standIn } = await marketOf(type, { startMs: evening, speed: 0 });
    const [day, next, after] = [0, 1, 2].map((days) => addDays(utcDayOf(evening), days));
    const { offers } = await market.offers({}, signal);
    const { instanceId } = await market.create(orderOf(offers[0]?.offerId ?? ""), signal);
    standIn.house.advance(1_000);
    await listed(market, instanceId, "running");
    standIn.house.advance(6 * 3_600_000);
    await market.stop(instanceId, signal);
    standIn.house.advance(2 * 3_600_000);
    await market.destroy(instanceId, signal);
    const lines = await market.bills(day ?? "", after ?? "", signal);
    expect([...new Set(lines.map((line) => line.day))]).toEqual([day, next]);
    expect(lines.every((line) => line.instanceId === instanceId && line.attos !== null)).toBe(true);
    const billed = (part: string) =>
      lines.reduce((sum, line) => (line.part === part ? sum + nanosOfAttos(line.attos ?? 0n) : sum), 0);
    // $0.22 an hour for six; 40 GB at $0.10 for a GB and month, all the time: RunPod 20 GB more while it runs, and twice the price
    // while it is stopped. Vast.ai's month has 720 hours, and it writes tenths of a cent, a day and a part each.
    const storage = type === "runpod" ? (0.1 * (60 * 6 + 80 * 2)) / 730 : (0.1 * 40 * 8) / 720;
    const precision = type === "runpod" ? 100_000 : 1_000_000;
    expect(Math.abs(billed("gpu") - 0.22 * 6e9)).toBeLessThanOrEqual(precision);
    expect(Math.abs(billed("storage") - storage * 1e9)).toBeLessThanOrEqual(precision);
    expect(Math.abs(billed("gpu") + billed("storage") - standIn.house.totalNanos())).toBeLessThanOrEqual(2 * precision);
  });

  const wrong: [ScriptName, string][] = [
    ["429-text", "upstream_rate_limited"],
    ["html", "upstream_failed"],
    ["errors-500", "upstream_failed"],
  ];
  test.each(wrong)("S-18 %s is no list: a Failure in words", async (script, code) => {
    const { market } = await marketOf(type, { script });
    await expect(market.offers({}, signal)).rejects.toMatchObject({ code });
  });

  test.each(["nan-prices", "absurd-prices"] as const)(
    "S-18 %s are rejected by name and never offered",
    async (script) => {
      const { market } = await marketOf(type, { script });
      const { offers, rejected } = await market.offers({}, signal);
      expect(offers.map(({ rates }) => rates.gpuPerHourNanos)).toEqual([220_000_000]);
      expect(rejected).toHaveLength(2);
      expect(rejected[0]?.reason).toContain("price");
    },
  );

  test("S-18 stale: a list of yesterday decides nothing, and an instance that it has not got is not gone", async () => {
    const { market, standIn } = await marketOf(type, { speed: 1, bootMs: 30_000 });
    const { offers } = await market.offers({}, signal);
    const { instanceId } = await market.create(orderOf(offers[0]?.offerId ?? ""), signal);
    standIn.house.faults.set("stale", 1);
    const old = { code: "upstream_failed", message: expect.stringContaining("24 h") };
    await expect(market.offers({}, signal)).rejects.toMatchObject(old);
    await expect(market.instances(signal)).rejects.toMatchObject(old);
    standIn.house.faults.delete("stale");
    expect((await market.instances(signal)).instances.map((one) => one.instanceId)).toEqual([instanceId]);
  });

  test("S-18 a destroy that fails is told as a failure, again and again, until it is done", async () => {
    const { market } = await marketOf(type, { script: "destroy-three-tries" });
    const { offers } = await market.offers({}, signal);
    const { instanceId } = await market.create(orderOf(offers[0]?.offerId ?? ""), signal);
    for (const _try of [1, 2]) {
      await expect(market.destroy(instanceId, signal)).rejects.toMatchObject({ code: "upstream_failed" });
      expect((await market.instances(signal)).instances).toHaveLength(1);
    }
    expect(await market.destroy(instanceId, signal)).toBe("done");
    expect((await market.instances(signal)).instances).toEqual([]);
  });

  test("whose bid was beaten is stopped although it is meant to run; a host that is gone is offline or has exited", async () => {
    const { market, standIn } = await marketOf(type, { script: "outbid", speed: 0 });
    const first = await market.create(orderOf((await market.offers({}, signal)).offers[0]?.offerId ?? ""), signal);
    standIn.house.advance(1_000);
    expect(await listed(market, first.instanceId, "running")).toBeDefined();
    standIn.house.advance(60_000);
    const beaten = await listed(market, first.instanceId, "stopped");
    expect(beaten.meantToRun).toBe(type === "vast" ? true : null);
    const one = standIn.house.find(first.instanceId);
    if (one === undefined) throw new Error("it is gone");
    standIn.house.resume(one);
    standIn.house.advance(1_000);
    await listed(market, first.instanceId, "running");
    standIn.house.set(one, "offline", "host does not answer");
    await listed(market, first.instanceId, type === "vast" ? "offline" : "exited");
  });

  test("a start that never comes to anything stays where it is, and costs its disk", async () => {
    const { market, standIn } = await marketOf(type, { script: "scheduling-forever", speed: 0 });
    const { offers } = await market.offers({}, signal);
    const { instanceId } = await market.create(orderOf(offers[0]?.offerId ?? ""), signal);
    standIn.house.advance(3_600_000);
    expect(await listed(market, instanceId, "scheduling")).toMatchObject({ address: null });
    expect(
      standIn.house.bill(instanceId).every(({ gpuNanos, storageNanos }) => gpuNanos === 0 && storageNanos > 0),
    ).toBe(true);
  });

  test("an offer that is gone at the create is not found, and nothing is made", async () => {
    const { market, standIn } = await marketOf(type, { script: "offers-gone" });
    const { offers } = await market.offers({}, signal);
    await expect(market.create(orderOf(offers[0]?.offerId ?? ""), signal)).rejects.toMatchObject({
      code: "not_found",
    });
    expect(standIn.house.rented).toEqual([]);
  });

  test("a create whose answer is lost is a Failure, and the instance is listed by its label", async () => {
    const { market } = await marketOf(type, { script: "late-create" });
    const order = orderOf((await market.offers({}, signal)).offers[0]?.offerId ?? "");
    await expect(market.create(order, signal)).rejects.toMatchObject({ code: "upstream_unreachable" });
    expect((await market.instances(signal)).instances.map(({ label }) => label)).toEqual(["lanthorn-box-1"]);
  });

  test("its clock may be an hour ahead: said, and never ours", async () => {
    const { market } = await marketOf(type, { script: "clock-skew", speed: 1 });
    const { skewMs, takenAtMs } = await market.instances(signal);
    expect(Math.abs((skewMs ?? 0) - 3_600_000)).toBeLessThan(10_000);
    expect(Math.abs(takenAtMs - Date.now())).toBeLessThan(10_000);
  });

  test("a wrong key is said so", async () => {
    const { standIn } = await marketOf(type);
    const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
    open.push(() => upstream.close());
    const [market] = openMarkets({
      settings: { [type]: marketSetting.parse({ baseUrl: standIn.url }) },
      // The variable of the market's own tools is for its own address only.
      environment: { VAST_API_KEY: standIn.key, RUNPOD_API_KEY: standIn.key },
      ...{ upstream, home: "/", clock: systemClock, localOnly: false, knowSecret: () => {} },
    });
    await expect(market?.instances(signal)).rejects.toMatchObject({ code: "upstream_key_refused" });
  });
});

test.each([
  ["a market that there is not", { mars: {} }],
  ["a machine of the settings without its machine", { office: { type: "static" } }],
  ["a key file that is not there", { vast: { keyFile: "no-such.key" } }],
])("%s does not start, and says where to look", async (_what, settings) => {
  const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
  open.push(() => upstream.close());
  const parts = { upstream, home: "/", clock: systemClock, localOnly: false, knowSecret: () => {}, environment: {} };
  const of = Object.fromEntries(Object.entries(settings).map(([name, entry]) => [name, marketSetting.parse(entry)]));
  expect(() => openMarkets({ settings: of, ...parts })).toThrow(
    expect.objectContaining({ code: "cannot_start", next: ["lanthorn config show markets"] }),
  );
});

describe("bids", () => {
  test("a bid states its price, on-demand never has one", async () => {
    const { market, standIn } = await marketOf("vast");
    const { offers } = await market.offers({ kind: "bid" }, signal);
    expect(offers[0]).toMatchObject({ kind: "bid", leastBidPerHourNanos: 110_000_000 });
    const { instanceId } = await market.create(orderOf("1", 150_000_000), signal);
    expect(await listed(market, instanceId, "running")).toMatchObject({ kind: "bid", bidPerHourNanos: 150_000_000 });
    await market.changeBid(instanceId, 190_000_000, signal);
    expect((await listed(market, instanceId, "running")).rates?.gpuPerHourNanos).toBe(190_000_000);
    const creates = standIn.house.calls.filter((call) => call.startsWith("PUT /asks/"));
    expect(creates[0]).toContain('"price":0.15');
    await market.create(orderOf("1"), signal);
    expect(standIn.house.calls.findLast((call) => call.startsWith("PUT /asks/"))).not.toContain("price");
    await expect(market.create({ ...orderOf("1"), kind: "bid" }, signal)).rejects.toMatchObject({
      code: "invalid_request",
    });
  });

  test("a market without bids says so", async () => {
    const { market } = await marketOf("runpod");
    await expect(market.create(orderOf("x", 1), signal)).rejects.toMatchObject({ code: "unsupported" });
    await expect(market.changeBid("x", 1, signal)).rejects.toMatchObject({ code: "unsupported" });
    expect((await market.offers({ kind: "bid" }, signal)).offers).toEqual([]);
  });
});

describe("what is rented at Vast.ai", () => {
  test("is read whole over two pages, by version 1: version 0 of this list is gone", async () => {
    const { market, standIn } = await marketOf("vast", { speed: 0 });
    const [offer] = standIn.house.offers;
    if (offer === undefined) throw new Error("there is no offer");
    const wish = { isBid: false, diskGb: 10, bid: null, environment: {} };
    for (let one = 1; one <= 30; one += 1) standIn.house.rent(offer, { ...wish, label: `lanthorn-box-${one}` });
    const { instances } = await market.instances(signal);
    expect(instances.map(({ label }) => label)).toEqual(standIn.house.rented.map(({ label }) => label));
    const lists = standIn.house.calls.filter((call) => call.startsWith("GET /"));
    expect(lists).toEqual(["GET /api/v1/instances/", "GET /api/v1/instances/"]);
    const old = await fetch(`${standIn.url}/instances/`, { headers: { authorization: `Bearer ${standIn.key}` } });
    expect(old.status).toBe(410);
  });

  const cut: [string, object][] = [
    ["whose second page fails", { instances: [{ id: 7 }], next_token: "x" }],
    ["that counts more than it shows", { instances: [{ id: 7 }], next_token: null, total_instances: 2 }],
  ];
  test.each(cut)("S-18 a list %s is no list", async (_which, page) => {
    let asked = 0;
    const market = vastSaying(() => {
      asked += 1;
      return asked === 1 ? page : { success: false, error: "invalid_args" };
    });
    await expect(market.instances(signal)).rejects.toMatchObject({ code: "upstream_failed" });
  });
});

describe("a region", () => {
  test("is the one the machine is made in, or there is no offer", async () => {
    const { market, standIn } = await marketOf("runpod");
    const { offers } = await market.offers({ region: "SE" }, signal);
    expect(offers.map(({ offerId, region }) => [offerId, region])).toEqual([
      ["NVIDIA GeForce RTX 3090@SECURE@EU-SE-1", "EU-SE-1"],
    ]);
    expect((await market.offers({ region: "eu-se" }, signal)).offers).toHaveLength(1);
    expect((await market.offers({ region: "US" }, signal)).offers).toEqual([]);
    await market.create(orderOf(offers[0]?.offerId ?? ""), signal);
    expect(standIn.house.calls.at(-1)).toContain('"dataCenterIds":["EU-SE-1"]');
  });
});

describe("a disk that outlives the instance", () => {
  test("is mounted where the image keeps what lasts, instead of a disk of the pod's own", async () => {
    const { market, standIn } = await marketOf("runpod");
    const { offers } = await market.offers({}, signal);
    await market.create({ ...orderOf(offers[0]?.offerId ?? ""), volumeId: "vol_1" }, signal);
    expect(standIn.house.calls.at(-1)).toContain('"mounts":{"network":[{"volumeId":"vol_1","path":"/data"}]}');
    const [one] = (await market.instances(signal)).instances;
    // Of its own it has the image's 20 GB, while it runs.
    expect(one?.rates).toMatchObject({ storagePerHourNanos: 2_739_726, stoppedStoragePerHourNanos: 0 });
  });
});

describe("Vast.ai's words for a state", () => {
  const states: [object, string, string][] = [
    [{ actual_status: null, cur_state: "running" }, "scheduling", "there is no container yet"],
    [{ actual_status: null, cur_state: "stopped" }, "scheduling", "it waits for its machine"],
    [{ actual_status: "exited", cur_state: "running" }, "exited", "the container ended by itself"],
    [{ actual_status: "exited", cur_state: "stopped" }, "stopped", "the hardware went to somebody else"],
    [{ actual_status: "frozen", cur_state: "running" }, "frozen", "billed like running"],
    [{ actual_status: "running", cur_state: "unloaded" }, "gone", "released"],
    [{ actual_status: "thawing", cur_state: "running" }, "unknown", "a word that nobody has documented"],
  ];
  test.each(states)("%j is %s: %s", async (said, state) => {
    const instances = [{ id: 7, intended_status: "running", is_bid: true, ...said }];
    const market = vastSaying({ instances });
    expect((await market.instances(signal)).instances).toMatchObject([{ instanceId: "7", state, rates: null }]);
  });

  test("S-18 a list in which one instance cannot be read is no list: it must not look as if that one were gone", async () => {
    const market = vastSaying({ instances: [{ id: 7 }, { label: "no number" }] });
    await expect(market.instances(signal)).rejects.toMatchObject({ code: "upstream_failed" });
  });

  test("a row's amount is what is paid, whatever its rounded parts come to", async () => {
    const at = startOfUtcDay("2026-11-01") / 1000;
    const row = (amount: number | string, ...parts: number[]) => ({
      ...{ start: at, end: at, source: "instance-7", amount },
      items: parts.map((part) => ({ type: "gpu", amount: part })),
    });
    const sumOf = async (one: object) => {
      const lines = await vastSaying({ results: [one] }).bills("2026-11-01", "2026-11-02", signal);
      return lines.map(({ attos }) => (attos === null ? null : nanosOfAttos(attos)));
    };
    expect(await sumOf(row(0.103, 0.101, 0.001))).toEqual([101_000_000, 1_000_000, 1_000_000]);
    expect(await sumOf(row(0.101, 0.101, 0.001))).toEqual([101_000_000, 1_000_000, -1_000_000]);
    expect(await sumOf(row(0.102, 0.101, 0.001))).toEqual([101_000_000, 1_000_000]);
    expect(await sumOf(row("NaN", 0.101))).toEqual([101_000_000, null]);
  });

  test("a bill that lays days together is asked for day by day", async () => {
    const asked: string[] = [];
    const market = vastSaying((url) => {
      const { day } = JSON.parse(url.searchParams.get("select_filters") ?? "{}") as {
        day: { gte: number; lte: number };
      };
      asked.push(utcDayOf(day.gte * 1000));
      const results = [{ start: day.gte, end: day.lte, source: "instance-7", amount: 1.5, items: [] }];
      return { success: true, next_token: null, results };
    });
    expect(await market.bills("2026-11-01", "2026-11-03", signal)).toEqual([
      { day: "2026-11-01", instanceId: "7", part: "all", attos: 1_500_000_000_000_000_000n },
      { day: "2026-11-02", instanceId: "7", part: "all", attos: 1_500_000_000_000_000_000n },
    ]);
    expect(asked).toEqual(["2026-11-01", "2026-11-01", "2026-11-02"]);
  });
});

/** Vast.ai, answering every question with that. */
function vastSaying(said: object | ((url: URL) => object)): Market {
  const answer = (url: string | URL) =>
    Promise.resolve(new Response(JSON.stringify(typeof said === "function" ? said(new URL(url)) : said)));
  const [market] = openMarkets({
    settings: { vast: marketSetting.parse({}) },
    upstream: { fetch: answer },
    ...{ environment: { VAST_API_KEY: "k" }, home: "/", clock: systemClock, localOnly: false, knowSecret: () => {} },
  });
  if (market === undefined) throw new Error("there is no market");
  return market;
}

describe("a machine with a fixed price", () => {
  test("is one instance that runs and that nobody starts or stops", async () => {
    const machine = { url: "http://10.0.0.7:4747", usdPerHour: "0.45", gpu: "RTX 6000 Ada" };
    const [market] = openMarkets({
      settings: { office: marketSetting.parse({ type: "static", machine }) },
      upstream: { fetch: () => Promise.reject(new Error("nobody is asked")) },
      ...{ environment: {}, home: "/", clock: systemClock, localOnly: true, knowSecret: () => {} },
    });
    expect((await market?.instances(signal))?.instances).toMatchObject([
      { state: "running", address: "http://10.0.0.7:4747", rates: { gpuPerHourNanos: 450_000_000 } },
    ]);
    await expect(market?.destroy("office", signal)).rejects.toMatchObject({ code: "unsupported" });
  });
});
