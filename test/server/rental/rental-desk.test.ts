/** Renting as people do it: offers of several markets, what one comes to, and that nothing is rented by a fact nobody can vouch for. */
import { expect, test } from "vitest";
import { rentalLimitsSetting, rentalsSetting } from "../../../server/config/rental-setting.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { nanosOfTime, quoteOf } from "../../../server/domain/rental/quote.ts";
import { createRentalDesk } from "../../../server/rental/rental-desk.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { noRecords, pretendLeases, pretendMarket } from "../../support/pretend-rentals.ts";
import { bidOffer, burn, offer, ready, stopped, terms, usd } from "../cli/rental/leases.ts";

const never = new AbortController().signal;

function stage(imageOfAll = "registry.example/lanthorn:1", spent = burn) {
  const clock = manualClock();
  const vast = pretendMarket("vast", clock.now, [offer, bidOffer]);
  const runpod = pretendMarket("runpod", clock.now, [
    { ...offer, market: "runpod", offerId: "a100", rates: { ...offer.rates, gpuPerHourNanos: usd(0.3) } },
  ]);
  const leases = pretendLeases([ready, stopped], spent);
  const told: string[] = [];
  const desk = createRentalDesk({
    ...noRecords,
    leases,
    markets: [vast, runpod],
    rentals: rentalsSetting.parse({
      coder: { market: "vast", models: ["coder"], gpu: "RTX 4090", mostUsdPerHour: "0.40", idleStopMs: 1_200_000 },
    }),
    limits: rentalLimitsSetting.parse({}),
    machine: ({ image, environment }) => ({
      image: image === "" ? imageOfAll : image,
      port: 4747,
      environment: { ...environment, SECRET: "s" },
      onStart: "a\nb",
    }),
    clock,
    publish: (event) => told.push(event.type),
  });
  return { clock, vast, runpod, leases, desk, told };
}

test("offers of all markets, cheapest first, and each is asked no more often than it allows", async () => {
  const { desk, vast, clock } = stage();
  const { offers } = await desk.offers({ gpu: "RTX 4090" }, null, never);
  expect(offers.map(({ market, offerId }) => `${market}/${offerId}`)).toEqual([
    "vast/81422",
    "runpod/a100",
    "vast/77310",
  ]);
  await desk.offers({ gpu: "RTX 4090" }, null, never);
  expect(vast.asked.map(({ kind }) => kind)).toEqual(["on-demand", "bid"]);
  await desk.offers({ gpu: "RTX 5090", kind: "bid" }, null, never);
  expect(vast.asked).toHaveLength(3);
  clock.advance(10_000);
  await desk.offers({ gpu: "RTX 4090" }, null, never);
  expect(vast.asked).toHaveLength(5);
});

test("S-18 a market that fails shows its last good list with its age, and nothing is rented by it", async () => {
  const { desk, vast, leases, clock } = stage();
  const before = await desk.offers({}, "vast", never);
  const takenAtMs = clock.now();
  clock.advance(86_400_000);
  vast.offered = new Failure("upstream_failed", "Its answer is HTML.");
  const after = await desk.offers({}, "vast", never);
  expect(after.offers).toEqual(before.offers);
  expect(after.markets).toEqual([
    { market: "vast", title: "vast", takenAtMs, trouble: "Its answer is HTML.", offers: 2, rejected: [] },
  ]);
  await expect(desk.quote({ market: "vast", offerId: "77310" }, never)).rejects.toThrow("Its answer is HTML.");
  await expect(desk.rent({ market: "vast", offerId: "77310" }, usd(9), never)).rejects.toThrow("Its answer is HTML.");
  expect(leases.rented).toEqual([]);
  // Of another question there is no list at all, and then the market's word is the answer.
  await expect(desk.offers({ gpu: "H100" }, "vast", never)).rejects.toMatchObject({ code: "upstream_failed" });
  await expect(desk.offers({}, "nowhere", never)).rejects.toMatchObject({ code: "not_found" });
});

test("S-18 an absurd price or one that is none is not rented, even by its name", async () => {
  const { desk, vast, leases, clock } = stage();
  for (const gpuPerHourNanos of [usd(1e6), Number.NaN, -1, 0]) {
    clock.advance(60_000);
    vast.offered = [{ ...offer, rates: { ...offer.rates, gpuPerHourNanos } }];
    const asked = desk.rent({ market: "vast", offerId: "77310" }, usd(9e6), never);
    await expect(asked).rejects.toMatchObject({ code: "not_found", why: expect.stringContaining("price") });
  }
  expect(leases.rented).toEqual([]);
});

test("without an image nothing is asked of a market: no price, and no machine that serves nothing", async () => {
  const { desk, vast, leases } = stage("");
  const asks = [
    [{ market: "vast", offerId: "77310" }, "lanthorn rental rent <offer> --image"],
    [{ rental: "coder" }, "lanthorn rental rent coder --image"],
  ] as const;
  for (const [ask, next] of asks) {
    const refused = {
      ...{ code: "invalid_request", param: "image" },
      next: expect.arrayContaining([expect.stringContaining(next)]),
    };
    await expect(desk.quote(ask, never)).rejects.toMatchObject(refused);
    await expect(desk.rent(ask, usd(9), never)).rejects.toMatchObject(refused);
  }
  expect(vast.asked).toEqual([]);
  expect(leases.rented).toEqual([]);
  await expect(desk.quote({ rental: "coder", image: "lanthorn" }, never)).resolves.toMatchObject({
    order: { image: "lanthorn" },
  });
});

test("a quote says what it comes to, and names what is secret without showing it", async () => {
  const { desk, leases } = stage();
  const view = await desk.quote({ rental: "coder", longestMs: 7_200_000 }, never);
  expect(view).toMatchObject({
    rental: "coder",
    quote: {
      offer: { market: "vast", offerId: "77310" },
      perHourNanos: usd(0.34),
      mostNanos: usd(0.68),
      endedBy: "time",
      terms: { idleStopMs: 1_200_000, longestMs: 7_200_000 },
    },
    order: { environment: ["SECRET"], onStartLines: 2, diskBytes: 40e9 },
  });
  expect(JSON.stringify(view)).not.toContain('"s"');
  expect(leases.rented).toEqual([]);
});

test("a quote says what renting it would be refused with: an hour of what runs already counts beside it", async () => {
  const refusalAt = async (todayNanos: number) =>
    (await stage(undefined, { ...burn, todayNanos }).desk.quote({ rental: "coder" }, never)).refusal;
  // $0.34 for it and $0.348 for the others, of $20.
  expect(await refusalAt(usd(19.3))).toBeNull();
  expect(await refusalAt(usd(19.4))).toMatch(/^the cap of today \(\$20\.00\) .* an hour of what runs included$/);
});

test("an offer that is not listed is said not to be there, and not that nothing is", async () => {
  const { desk } = stage();
  await expect(desk.quote({ market: "vast", offerId: "99" }, never)).rejects.toMatchObject({
    ...{ code: "not_found", message: 'The offer "99" cannot be had now.' },
    why: "vast does not list it on demand.",
  });
});

test("by wishes the cheapest of that kind is rented, wherever it is; the price that was agreed to is the most", async () => {
  const { desk, leases, vast, clock, told } = stage();
  const lease = await desk.rent({ gpu: "RTX 4090" }, usd(0.34), never);
  expect(lease).toMatchObject({ id: 101, state: "starting", rental: null });
  expect(leases.rented).toMatchObject([
    { offer: { market: "runpod" }, order: { kind: "on-demand", bidPerHourNanos: null, environment: { SECRET: "s" } } },
  ]);
  expect(told).toEqual(["lease"]);

  vast.offered = [{ ...offer, rates: { ...offer.rates, gpuPerHourNanos: usd(0.5) } }];
  clock.advance(60_000);
  const dearer = desk.rent({ market: "vast", offerId: "77310" }, usd(0.34), never);
  await expect(dearer).rejects.toMatchObject({
    code: "not_found",
    why: expect.stringContaining("it asks $0.5070 now"),
  });
  expect(leases.rented).toHaveLength(1);
});

test("a bid needs its amount, and one that cannot win is refused", async () => {
  const { desk, leases } = stage();
  const asked = { market: "vast", offerId: "81422" };
  await expect(desk.quote({ ...asked, kind: "bid" }, never)).rejects.toMatchObject({ param: "bidUsdPerHour" });
  await expect(desk.quote({ ...asked, bidUsdPerHour: "0.1" }, never)).rejects.toMatchObject({
    code: "not_found",
    why: expect.stringContaining("the least bid is"),
  });
  const { quote } = await desk.quote({ ...asked, bidUsdPerHour: "0.2" }, never);
  expect(quote).toMatchObject({ kind: "bid", bidPerHourNanos: usd(0.2), perHourNanos: usd(0.207) });
  await desk.rent({ ...asked, bidUsdPerHour: "0.2" }, quote.perHourNanos, never);
  expect(leases.rented).toMatchObject([{ order: { kind: "bid", bidPerHourNanos: usd(0.2) } }]);
  // The same number as on-demand is another thing, and the dear one is never taken instead.
  await expect(desk.rent(asked, usd(9), never)).rejects.toMatchObject({ code: "not_found" });
});

test("an offer is found again by the question that brought it up", async () => {
  const { desk, vast, clock } = stage();
  await desk.offers({ gpu: "RTX 4090", region: "DE", diskBytes: 1e9 }, "vast", never);
  clock.advance(60_000);
  await desk.quote({ market: "vast", offerId: "77310", diskGb: 100 }, never);
  expect(vast.asked.at(-1)).toEqual({ gpu: "RTX 4090", region: "DE", kind: "on-demand", diskBytes: 100e9 });
});

test("the bid view has the least that is taken there, or says why nobody knows", async () => {
  const { desk, vast, clock } = stage();
  expect(await desk.bid(2, never)).toMatchObject({ lease: { id: 2 }, leastBidPerHourNanos: usd(0.183), trouble: null });
  vast.offered = new Failure("upstream_rate_limited", "Too many questions.");
  clock.advance(60_000);
  expect(await desk.bid(2, never)).toMatchObject({ leastBidPerHourNanos: null, trouble: "Too many questions." });
});

test("orphans are ended one by one, whatever becomes of the others", async () => {
  const { desk, leases } = stage();
  const orphan = { market: "vast", label: null, state: "running", perHourNanos: null, reason: "no lease" } as const;
  leases.found = [
    { ...orphan, instanceId: "stubborn" },
    { ...orphan, instanceId: "9" },
  ];
  const { ended } = await desk.endOrphans(null, never);
  expect(ended.map(({ instanceId, trouble }) => [instanceId, trouble])).toEqual([
    ["stubborn", "It is still listed."],
    ["9", null],
  ]);
  await expect(desk.endOrphans([{ market: "vast", instanceId: "9" }], never)).rejects.toMatchObject({
    code: "not_found",
  });
});

test("a quote prices where the weights are kept, at the offer's own rates and the bid, once their size is known", async () => {
  const { desk, runpod } = stage();
  expect((await desk.quote({ rental: "coder" }, never)).disk).toBeNull();
  const { disk } = await desk.quote({ rental: "coder", weightsGb: 20 }, never);
  expect(disk?.ways.map(({ way }) => way).sort()).toEqual(["download", "stopped-disk"]);
  const [stoppedDisk] = disk?.ways.filter(({ way }) => way === "stopped-disk") ?? [];
  // 610 hours of a month it is stopped.
  expect(stoppedDisk?.perMonthNanos).toBe(Math.ceil(offer.rates.stoppedStoragePerHourNanos * 610));
  expect(disk?.words).toContain("kept on the stopped instance's disk: $");
  const byBid = await desk.quote({ market: "vast", offerId: "81422", bidUsdPerHour: "0.20", weightsGb: 20 }, never);
  const download = (view: typeof disk) => view?.ways.find(({ way }) => way === "download")?.perMonthNanos ?? 0;
  expect(download(byBid.disk)).toBeLessThan(download(disk));
  expect(runpod.asked).toEqual([]);
});

test("the summary has what stopped ones still cost", () => {
  const { desk } = stage();
  expect(desk.summary()).toMatchObject({ ...burn, stopped: { leases: 1, perDayNanos: usd(0.192) } });
});

test("at most: running all the time, or the cap where that is less, rounded up", () => {
  expect(quoteOf(offer, null, terms, 0)).toMatchObject({ mostNanos: usd(2.72), endedBy: "time", endsAtMs: 28_800_000 });
  const capped = { ...terms, caps: { ...terms.caps, perInstanceNanos: usd(1) } };
  expect(quoteOf(offer, null, capped, 0)).toMatchObject({ mostNanos: usd(1), endedBy: "cap" });
  expect(nanosOfTime(1, 1)).toBe(1);
  // A quarter at a thousand dollars an hour is past 2^53 before it is divided.
  expect(nanosOfTime(usd(1000), 7_862_400_000)).toBe(usd(2_184_000));
});
