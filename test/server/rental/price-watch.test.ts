/** The watch over prices: a real ledger, a clock moved by hand, markets that answer what a test says. */
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Failure } from "../../../server/domain/failure.ts";
import type { OfferFilter, OfferList } from "../../../server/domain/rental/market.ts";
import { openLedger } from "../../../server/ledger/ledger.ts";
import type { Market } from "../../../server/rental/market.ts";
import { watchPrices } from "../../../server/rental/price-watch.ts";
import { offer } from "../../support/leases-in-memory.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 10, 27, 12);
const everyMs = 10 * minuteMs;

function watch({ bids = false, gpus = [], random = 0 }: { bids?: boolean; gpus?: string[]; random?: number } = {}) {
  const clock = manualClock(startMs);
  const log = recordedLog();
  const ledger = openLedger(join(temporaryFolder(), "ledger.sqlite"), { clock, log });
  const asked: { atMs: number; filter: OfferFilter }[] = [];
  const market = {
    ...{ id: "acme", type: "vast", title: "Acme" },
    traits: {
      bids,
      stops: true,
      volumes: false,
      billsAllButStopped: false,
      offersEveryMs: minuteMs,
      instancesEveryMs: 1_000,
    },
    offers: (filter: OfferFilter) => {
      asked.push({ atMs: clock.now() - startMs, filter });
      return world.answer(filter);
    },
  } as Partial<Market> as Market;
  const world = { answer: (_filter: OfferFilter): Promise<OfferList> => Promise.resolve(list({})) };
  const list = (prices: Record<string, number[]>): OfferList => ({
    offers: Object.entries(prices).flatMap(([gpu, all]) =>
      all.map((gpuPerHourNanos, index) => {
        const one = offer(`${gpu}-${index}`, { gpu, gpuCount: 1, kind: "on-demand" });
        return { ...one, rates: { ...one.rates, gpuPerHourNanos } };
      }),
    ),
    rejected: [],
    takenAtMs: clock.now(),
  });
  const watching = watchPrices({
    ...{ markets: [market], book: ledger.marketPrices, clock, log, everyMs },
    ...{ gpus: () => gpus, ownBid: () => null, random: () => random },
  });
  onTestFinished(async () => {
    watching.stop();
    await ledger.close();
  });
  /** Time passes in small steps, and what was asked in one is answered before the next. */
  const pass = async (minutes: number) => {
    for (let steps = minutes * 12; steps > 0; steps -= 1) {
      clock.advance(minuteMs / 12);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const history = (gpu: string | null = null) => watching.history({ market: null, gpu, sinceMs: 0 });
  return { ...{ clock, log, asked, world, list, watching, pass, history } };
}

const limited = (coolDownMs: number) =>
  new Failure("upstream_rate_limited", "Too many questions (429).", { coolDownMs });

describe("what was good", () => {
  test("S-18 stays with its age while a market fails, limits, or says nothing that is a price", async () => {
    const { world, list, pass, history, log } = watch();
    world.answer = () => Promise.resolve(list({ "RTX 3090": [200, 300, 250] }));
    await pass(1);
    const good = history();
    expect(good).toEqual([
      {
        ...{ market: "acme", gpu: "RTX 3090", kind: "on-demand", takenAtMs: startMs + 5_000 },
        points: [
          {
            ...{ atMs: startMs, leastPerHourNanos: 200, medianPerHourNanos: 250, offers: 3, ownBidPerHourNanos: null },
          },
        ],
      },
    ]);
    const bad = [
      () => Promise.reject(new Failure("upstream_failed", "It answers with text/html where JSON should be.")),
      () => Promise.reject(limited(1_000)),
      () => Promise.resolve({ ...list({}), rejected: [{ offerId: "1", reason: "its price is none: NaN" }] }),
    ];
    for (const answer of bad) {
      world.answer = answer;
      await pass(45);
      expect(history()).toEqual(good);
    }
    expect(log.lines.filter((line) => line.startsWith("warn: what a market asks cannot be read"))).toHaveLength(1);
    world.answer = () => Promise.resolve(list({ "RTX 3090": [400] }));
    await pass(45);
    // The hours in which nothing good came are no points.
    const [first, ...later] = history()[0]?.points ?? [];
    expect(first).toEqual(good[0]?.points[0]);
    expect(later.map((point) => (point.atMs - startMs) / 3_600_000)).toEqual([2, 3]);
    expect(later.every(({ leastPerHourNanos }) => leastPerHourNanos === 400)).toBe(true);
  });

  test("is kept by the hour: the last look of each", async () => {
    const { world, list, pass, history } = watch();
    const prices = Array.from({ length: 20 }, (_, look) => look + 1);
    world.answer = () => Promise.resolve(list({ H100: prices.splice(0, 1) }));
    await pass(125);
    const points = history()[0]?.points ?? [];
    expect(points.map(({ atMs }) => (atMs - startMs) / 3_600_000)).toEqual([0, 1, 2]);
    // Looks at 0:05, 1:05, 11:05, 21:05 …: seven in the first hour, six in the second.
    expect(points.map(({ leastPerHourNanos }) => leastPerHourNanos)).toEqual([6, 12, 13]);
  });
});

describe("politeness", () => {
  test("nothing is asked at the start; one question at a time, each once in its time, none after it is stopped", async () => {
    const { asked, pass, watching } = watch({ bids: true });
    expect(asked).toEqual([]);
    await pass(22);
    expect(asked.map(({ atMs, filter }) => [Math.floor(atMs / 1000), filter.kind])).toEqual([
      [5, "on-demand"],
      [65, "bid"],
      [365, "on-demand"],
      [665, "bid"],
      [965, "on-demand"],
      [1_265, "bid"],
    ]);
    watching.stop();
    await pass(60);
    expect(asked).toHaveLength(6);
  });

  test("a market that fails is asked half as often each time, and one that says how long it wants is left alone so long", async () => {
    const { asked, pass, world } = watch();
    world.answer = () => Promise.reject(new Failure("upstream_failed", "no"));
    await pass(5 * 60);
    const gaps = asked.slice(1).map(({ atMs }, index) => Math.round((atMs - (asked[index]?.atMs ?? 0)) / minuteMs));
    expect(gaps).toEqual([20, 40, 80]);
    world.answer = () => Promise.reject(limited(5 * 60 * minuteMs));
    await pass(30);
    const before = asked.length;
    await pass(5 * 60 - 30);
    expect(asked.length).toBe(before);
    await pass(60);
    expect(asked.length).toBe(before + 1);
  });

  test("boxes do not ask at the same moment", async () => {
    const { asked, pass } = watch({ random: 0.5 });
    await pass(2);
    expect(asked[0]?.atMs).toBe(5_500);
  });
});

describe("the GPUs of the settings", () => {
  test("are asked for by name, and the long list says nothing about them: it may be cut", async () => {
    const { asked, pass, world, list, history } = watch({ gpus: ["rtx4090", "RTX 4090"] });
    const whole = { "RTX 4090": [300, 400, 500], "RTX 3090": [100] };
    const cut = { "RTX 4090": [300], "RTX 3090": [100] };
    world.answer = ({ gpu }) => Promise.resolve(list(gpu === undefined ? cut : { "RTX 4090": whole["RTX 4090"] }));
    await pass(2);
    expect(asked.map(({ filter }) => filter.gpu)).toEqual(["RTX 4090", undefined]);
    const seen = Object.fromEntries(history().map(({ gpu, points }) => [gpu, points[0]?.medianPerHourNanos]));
    expect(seen).toEqual({ "RTX 4090": 400, "RTX 3090": 100 });
  });

  test("are found in any spelling", async () => {
    const { pass, world, list, history } = watch();
    world.answer = () => Promise.resolve(list({ "RTX 4090": [300], "RTX 3090": [100] }));
    await pass(1);
    expect(history("NVIDIA GeForce RTX4090").map(({ gpu }) => gpu)).toEqual(["RTX 4090"]);
  });
});
