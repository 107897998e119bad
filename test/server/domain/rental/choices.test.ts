/** Small decisions about rented machines: which offer, which instance, which disk, whose rent, and in which words. */
import { describe, expect, test } from "vitest";
import { type ChoiceWishes, chooseOffers } from "../../../../server/domain/rental/offer-choice.ts";
import { type DiskFacts, priceDisks } from "../../../../server/domain/rental/disk-choice.ts";
import { type PowerFacts, powerView } from "../../../../server/domain/rental/power.ts";
import { RentShares } from "../../../../server/domain/rental/rent-share.ts";
import { capRefusal } from "../../../../server/domain/rental/spend-room.ts";
import { chooseInstance, mostAhead } from "../../../../server/domain/rental/spread.ts";
import { noCaps, offer } from "../../../support/leases-in-memory.ts";
import { seeded } from "../../../support/random.ts";

const usd = (amount: number) => Math.round(amount * 1e9);
const now = 1_700_000_000_000;

describe("an offer", () => {
  const rates = (gpu: number, disk = 0.02) => ({
    ...{ gpuPerHourNanos: usd(gpu), storagePerHourNanos: usd(disk), stoppedStoragePerHourNanos: usd(disk) },
    ...{ uploadPerGbNanos: 0, downloadPerGbNanos: 0 },
  });
  const usual: ChoiceWishes = {
    filter: { gpu: "rtx4090", gpuCount: 1, leastReliability: 0.95, mostPerHourNanos: usd(0.5) },
    ...{ kind: "on-demand", bidPerHourNanos: null, leastMs: 3_600_000, oldestListMs: 600_000 },
  };
  const list = (...offers: ReturnType<typeof offer>[]) => ({ offers, rejected: [], takenAtMs: now });

  test("the cheapest with its disk, of equals the more reliable one; it says so", () => {
    const choice = chooseOffers(
      list(
        offer("dear-disk", { rates: rates(0.3, 0.12) }),
        offer("b", { rates: rates(0.31), reliability: 0.97 }),
        offer("a", { rates: rates(0.31), reliability: 0.999, gpu: "NVIDIA GeForce RTX 4090" }),
      ),
      usual,
      now,
    );
    expect(choice.offers.map(({ offer: { offerId } }) => offerId)).toEqual(["a", "b", "dear-disk"]);
    expect(choice.words).toContain(
      "$0.33 an hour with its disk (on-demand, reliability 0.999); the next is $0.33 of 3 offers",
    );
  });

  test("what is not what was asked for is refused with its reason, whatever it costs", () => {
    const nearly = [
      offer("gpu", { gpu: "RTX 3090" }),
      offer("dear", { rates: rates(0.6) }),
      offer("nan", { rates: rates(Number.NaN) }),
      offer("below", { rates: rates(-1) }),
      offer("free", { rates: rates(0) }),
      offer("absurd", { rates: rates(5_000) }),
      offer("shaky", { reliability: 0.8 }),
      offer("short", { longestMs: 600_000 }),
      offer("bid", { kind: "bid" }),
    ];
    const { offers, refused, words } = chooseOffers(list(...nearly), usual, now);
    expect(offers).toEqual([]);
    expect(Object.fromEntries(refused.map(({ offerId, reason }) => [offerId, reason]))).toEqual({
      gpu: "it has RTX 3090",
      dear: "$0.62 an hour is more than $0.50",
      nan: "its price is none",
      below: "its price is none",
      free: "it has no price",
      absurd: "its price is absurd",
      shaky: "its reliability is 0.8",
      short: "it can be had for 10 min only",
      bid: "it is bid, and on-demand is asked",
    });
    expect(words).toContain("None of 9 offers will do");
  });

  test("a bid is stated, covers the least one, and is what it costs", () => {
    const bid = { ...usual, kind: "bid" as const, bidPerHourNanos: usd(0.2) };
    const some = (least: number) =>
      offer(String(least), { kind: "bid", leastBidPerHourNanos: usd(least), rates: rates(least) });
    const choice = chooseOffers(list(some(0.25), some(0.19), some(0.1)), bid, now);
    expect(choice.offers.map(({ offer: { offerId }, perHourNanos }) => [offerId, perHourNanos])).toEqual([
      ["0.1", usd(0.22)],
      ["0.19", usd(0.22)],
    ]);
    expect(chooseOffers(list(some(0.1)), { ...bid, bidPerHourNanos: null }, now).refused[0]?.reason).toBe(
      "no bid is stated",
    );
  });

  test("S-18 nothing is rented on a list of yesterday, or of a clock that is ahead", () => {
    for (const takenAtMs of [now - 86_400_000, now + 3_600_000]) {
      const { offers, words } = chooseOffers({ ...list(offer("a")), takenAtMs }, usual, now);
      expect(offers).toEqual([]);
      expect(words).toContain("nothing is rented on it");
    }
  });
});

test("an instance: the session's own while it is not far ahead, else who has least to do, and who fails last", () => {
  const one = (lease: number, inFlight: number, failing = false) => ({ lease, inFlight, failing });
  expect(chooseInstance([one(2, 0), one(1, 0)], null)?.lease).toBe(1);
  expect(chooseInstance([one(1, 0), one(2, mostAhead)], 2)?.lease).toBe(2);
  expect(chooseInstance([one(1, 0), one(2, mostAhead + 1)], 2)?.lease).toBe(1);
  expect(chooseInstance([one(1, 5), one(2, 0, true)], 2)?.lease).toBe(1);
  expect(chooseInstance([one(2, 0, true)], null)?.lease).toBe(2);
  expect(chooseInstance([], 1)).toBe(null);
});

describe("the rent", () => {
  test("is shared by time over what runs, and idle where nothing does", () => {
    const shares = new RentShares(0);
    shares.rate(usd(3.6), 0);
    shares.began("a", 10_000);
    shares.began("b", 20_000);
    shares.ended("a", 30_000);
    shares.ended("b", 35_000);
    // $0.001 a second: 10 s alone, 10 s together, 5 s alone; 20 s nobody.
    expect([shares.take("a", 40_000), shares.take("b", 55_000)]).toEqual([usd(0.015), usd(0.01)]);
    expect(shares.usedNanos(55_000)).toBe(usd(0.025));
    expect(shares.take("a", 60_000)).toBe(null);
  });

  test("of any story the parts are the whole, to the last nano-USD", () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const random = seeded(seed);
      const shares = new RentShares(0);
      const [open, waiting] = [new Set<string>(), new Set<string>()];
      let [atMs, busyMs, exact, perHour, taken] = [0, 0, 0n, 0, 0];
      for (let step = 0; step < 300; step += 1) {
        const passed = random.below(5_000);
        if (open.size > 0) {
          busyMs += passed;
          exact += BigInt(passed) * BigInt(perHour);
        }
        atMs += passed;
        const kind = random.below(4);
        if (kind === 0) {
          perHour = random.below(2_000_000_000);
          shares.rate(perHour, atMs);
        } else if (kind === 1) {
          const name = `r${step}`;
          open.add(name);
          shares.began(name, atMs);
        } else if (open.size > 0) {
          const name = random.pick([...open]);
          open.delete(name);
          waiting.add(name);
          shares.ended(name, atMs);
        }
      }
      for (const name of [...open, ...waiting]) taken += shares.take(name, atMs) ?? 0;
      expect(busyMs).toBeGreaterThan(0);
      expect(taken, `seed ${seed}`).toBe(Number(exact / 3_600_000n));
      expect(shares.usedNanos(atMs)).toBe(taken);
    }
  });
});

test("a cap refuses an hour that does not fit in, and says which cap", () => {
  const room = {
    caps: { ...noCaps, perDayNanos: usd(20) },
    todayNanos: usd(19.7),
    monthNanos: usd(100),
    leaseNanos: 0,
  };
  expect(capRefusal(room, usd(0.3))).toBe(null);
  expect(capRefusal(room, usd(0.34))).toBe(
    "the cap of today ($20.00) does not leave room for an hour at $0.34: $19.70 is spent",
  );
  expect(capRefusal(room, null)).toBe(null);
  expect(capRefusal({ ...room, caps: { ...noCaps, perMonthNanos: usd(100) } }, null)).toContain(
    "of this month ($100.00) is used up",
  );
  expect(capRefusal({ ...room, leaseNanos: usd(10), caps: { ...noCaps, perInstanceNanos: usd(10) } }, 1)).toContain(
    "of this lease",
  );
});

test("the choice of a disk is priced: 20 GB of weights, two wakes a day, a GPU at $0.34", () => {
  const facts: DiskFacts = {
    ...{ weightsBytes: 20e9, downloadBytesPerSecond: 100e6, wakesPerMonth: 60, hoursPerMonth: 120 },
    ...{ gpuPerHourNanos: usd(0.34), downloadPerGbNanos: 0, stoppedPerHourNanos: usd(0.008) },
    ...{ volumePerGbMonthNanos: usd(0.07), volumeBytes: 40e9 },
  };
  const { ways, words } = priceDisks(facts);
  // 200 s of the GPU 60 times; 610 h of the stopped disk; 40 GB at 7 cents.
  const perMonth = Object.fromEntries(
    ways.map(({ way, perMonthNanos }) => [way, Number((perMonthNanos / 1e9).toFixed(2))]),
  );
  expect(perMonth).toEqual({ download: 1.13, volume: 2.8, "stopped-disk": 4.88 });
  expect(ways[0]?.perWakeMs).toBe(200_000);
  expect(words).toContain("kept on a disk that outlives it: $2.80 a month");
  const paid = priceDisks({ ...facts, downloadPerGbNanos: usd(0.01), stoppedPerHourNanos: null });
  expect(paid.ways.map(({ way }) => way)).toEqual(["volume", "download"]);
});

test("a state is said in the same words to everybody", () => {
  const facts: PowerFacts = {
    ...{ state: "ready", ready: 2, coming: 1, since: now - 80_000, expectedMs: 180_000, retryMs: null },
    ...{ refusal: null, detail: "", whileAsleep: "fallback", wakeNanos: 0 },
  };
  const words = (more: Partial<PowerFacts>) => powerView({ ...facts, ...more }, now).words;
  expect(words({})).toBe("ready (2 instances, 1 more starting)");
  expect(words({ state: "waking" })).toBe("being started for 80 s, ready in about 3 min");
  expect(words({ state: "asleep" })).toBe("asleep; a request starts it, which takes about 3 min");
  expect(words({ state: "asleep", detail: "rents one", expectedMs: null })).toBe("asleep; a request rents one");
  expect(words({ state: "refused", detail: "the cap of today is used up" })).toBe(
    "not started: the cap of today is used up",
  );
  expect(words({ state: "failed", detail: "no GPU is free", retryMs: 30_000 })).toBe(
    "could not be started: no GPU is free; tried again in 30 s",
  );
  // What a market said is a sentence, and stands in the middle of one here.
  expect(words({ state: "failed", detail: "Please slow down.", retryMs: 30_000 })).toBe(
    "could not be started: Please slow down; tried again in 30 s",
  );
});
