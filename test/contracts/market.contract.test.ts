/** What every market must do, beside a stand-in that speaks its wire and keeps its own meter. */
import { afterEach, describe, expect, test } from "vitest";
import { marketSetting } from "../../server/config/rental-setting.ts";
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
    // $0.10 for a GB and month of 730 hours: 73 GB are a cent an hour.
    expect(offers[0]?.rates).toMatchObject({ gpuPerHourNanos: 220_000_000, storagePerHourNanos: 10_000_000 });
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
    const { market, standIn } = await marketOf(type, { startMs: Date.UTC(2026, 10, 27, 20) });
    const { offers } = await market.offers({}, signal);
    const { instanceId } = await market.create(orderOf(offers[0]?.offerId ?? ""), signal);
    await listed(market, instanceId, "running");
    standIn.house.advance(8 * 3_600_000);
    await market.destroy(instanceId, signal);
    const lines = await market.bills("2026-11-27", "2026-11-29", signal);
    expect([...new Set(lines.map(({ day }) => day))]).toEqual(["2026-11-27", "2026-11-28"]);
    expect(lines.every((line) => line.instanceId === instanceId && line.attos !== null)).toBe(true);
    const billed = lines.reduce((sum, { attos }) => sum + Number((attos ?? 0n) / 1_000_000_000n), 0);
    expect(Math.abs(billed - standIn.house.totalNanos())).toBeLessThan(2_000_001);
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
    const order = orderOf(type === "vast" ? "1" : "NVIDIA RTX 3090@SECURE");
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
