/** What one list of offers comes to as a price, and a chart's worth of hours. */
import { describe, expect, test } from "vitest";
import { pricesOf, type SeenPoint, thinned } from "../../../../server/domain/rental/prices.ts";
import { offer } from "../../../support/leases-in-memory.ts";

const hourMs = 3_600_000;
const takenAtMs = 1_000 * hourMs + 5;

function asking(gpu: string, gpuPerHourNanos: number, changed: Partial<ReturnType<typeof offer>> = {}) {
  const one = offer(`${gpu} ${gpuPerHourNanos}`, { gpu, gpuCount: 1, kind: "on-demand", ...changed });
  return { ...one, rates: { ...one.rates, gpuPerHourNanos } };
}

describe("a list", () => {
  test("is the least, the median and the count of each GPU, without disks; other kinds and many GPUs are other prices", () => {
    const offers = [
      ...[asking("RTX 3090", 30), asking("RTX 3090", 10), asking("RTX 3090", 21), asking("RTX 3090", 20)],
      ...[asking("H100", 200), asking("H100", 99, { gpuCount: 8 }), asking("H100", 98, { kind: "bid" })],
    ];
    const seen = pricesOf("vast", "on-demand", { offers, takenAtMs }, () => 5);
    const common = { market: "vast", kind: "on-demand", takenAtMs, hourMs: 1_000 * hourMs, ownBidPerHourNanos: null };
    expect(seen).toEqual([
      { ...common, gpu: "RTX 3090", leastPerHourNanos: 10, medianPerHourNanos: 21, offers: 4 },
      { ...common, gpu: "H100", leastPerHourNanos: 200, medianPerHourNanos: 200, offers: 1 },
    ]);
  });

  test("of bids is the least bids, beside ours", () => {
    const offers = [asking("RTX 3090", 30, { kind: "bid", leastBidPerHourNanos: 11 })];
    const [seen] = pricesOf("vast", "bid", { offers, takenAtMs }, (gpu) => (gpu === "RTX 3090" ? 12 : null));
    expect(seen).toMatchObject({ leastPerHourNanos: 11, medianPerHourNanos: 11, ownBidPerHourNanos: 12 });
  });

  test("with nothing good in it is no price at all, and not 0", () => {
    expect(pricesOf("vast", "bid", { offers: [], takenAtMs }, () => null)).toEqual([]);
  });
});

describe("a chart", () => {
  const points = (count: number): SeenPoint[] =>
    Array.from({ length: count }, (_, hour) => ({
      ...{ atMs: hour * hourMs, leastPerHourNanos: 100 - hour, medianPerHourNanos: 200 + hour, offers: hour },
      ownBidPerHourNanos: hour === 1 ? 7 : null,
    }));

  test("that fits is as it was", () => {
    expect(thinned(points(5), 5)).toEqual(points(5));
    expect(thinned([], 5)).toEqual([]);
  });

  test("that does not covers the whole time with fewer points, and loses no low", () => {
    const thin = thinned(points(5), 3);
    expect(thin).toEqual([
      { atMs: 0, leastPerHourNanos: 99, medianPerHourNanos: 201, offers: 1, ownBidPerHourNanos: 7 },
      { atMs: 2 * hourMs, leastPerHourNanos: 97, medianPerHourNanos: 203, offers: 3, ownBidPerHourNanos: null },
      { atMs: 4 * hourMs, leastPerHourNanos: 96, medianPerHourNanos: 204, offers: 4, ownBidPerHourNanos: null },
    ]);
    for (let count = 1; count < 200; count += 7) {
      for (const most of [1, 3, 24]) expect(thinned(points(count), most).length).toBeLessThanOrEqual(most);
    }
  });

  test("with a gap keeps the gap", () => {
    const [first, , , , last] = points(100).filter((_, hour) => hour % 20 === 0);
    if (first === undefined || last === undefined) throw new Error("no points");
    expect(thinned([first, last], 4).map(({ atMs }) => atMs)).toEqual([0, 80 * hourMs]);
  });
});
