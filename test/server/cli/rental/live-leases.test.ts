/** The burn between two answers of the server, and what options of time and money mean. */
import { beforeAll, expect, test, vi } from "vitest";
import { msUntil, readGb, readLease, readShare, readSpan, readUsd } from "../../../../server/cli/rental/flags.ts";
import { createLiveLeases } from "../../../../server/cli/rental/live-leases.ts";
import { clockText, priceText, spanText } from "../../../../server/cli/rental/price-text.ts";
import { pictureText } from "../../../../server/cli/rental/watch.ts";
import { nowMs, ready, stopped, summary, usd } from "./leases.ts";

beforeAll(() => {
  vi.stubEnv("TZ", "Europe/Berlin");
  return () => vi.unstubAllEnvs();
});

test("money goes on by the rate until the next word; what has ended costs nothing more", () => {
  const live = createLiveLeases();
  live.whole([ready, stopped], summary, nowMs);
  const picture = live.at(nowMs + 10_000);
  expect(picture.perHourNanos).toBe(usd(0.348));
  expect(picture.leases.map(({ lease, soFarNanos }) => [lease.id, soFarNanos])).toEqual([
    [2, usd(3.18) + 22_222],
    [3, usd(3.18) + 944_444],
  ]);
  expect(picture.todayNanos).toBe(usd(3.18) + 966_666);
  live.one({ ...ready, state: "ended" }, nowMs + 10_000);
  expect(live.at(nowMs + 3_610_000)).toMatchObject({
    perHourNanos: usd(0.008),
    leases: [{}, { soFarNanos: usd(3.18) }],
  });
  // A clock that was set back takes nothing away.
  expect(live.at(nowMs - 60_000).leases[0]?.soFarNanos).toBe(usd(3.18));
});

test("the table of watch ticks to the millionth and ends with what a second costs", () => {
  const live = createLiveLeases();
  live.whole([ready], summary, nowMs);
  const lines = pictureText(live.at(nowMs + 1_000), nowMs + 1_000).split("\n");
  expect(lines[1]).toBe(
    "lease-3  RTX 4090  $0.34/h billed  $3.180094  ready for 2 h 10 m  idle stop in 11 m 39 s, ends 22:00",
  );
  expect(lines[2]).toBe("Together $0.34/h, $0.000094 a second; today $3.18 of $20.00, this month $41.20 of $200.00");
  live.whole([], null, nowMs);
  expect(pictureText(live.at(nowMs), nowMs)).toBe("Nothing is rented, and nothing is billing.");
});

test("spans, times, amounts, shares and leases as people write them", () => {
  expect([readSpan("90s"), readSpan("20m"), readSpan("1.5h"), readSpan("2d")]).toEqual([90e3, 1.2e6, 5.4e6, 172.8e6]);
  for (const text of ["20", "m", "0.5s", "-1h", ""]) expect(() => readSpan(text)).toThrow();
  expect([readGb("24"), readGb("24GB"), readShare("98%"), readShare("0.98")]).toEqual([24, 24, 0.98, 0.98]);
  for (const text of ["24 GiB", "many"]) expect(() => readGb(text)).toThrow();
  for (const text of ["98", "101%", "-1"]) expect(() => readShare(text)).toThrow();
  for (const text of ["1e3", "0.1234567", "$5", "-1"]) expect(() => readUsd(text)).toThrow();
  expect([readLease("lease-3"), readLease("3")]).toEqual([3, 3]);
  expect(() => readLease("coder")).toThrow();
  expect(msUntil("22:00", nowMs)).toBe(8 * 3_600_000);
  expect(msUntil("13:59", nowMs)).toBe(24 * 3_600_000 - 60_000);
  expect(msUntil("2026-11-27T15:00", nowMs)).toBe(3_600_000);
  expect(() => msUntil("2026-11-26", nowMs)).toThrow("--until 2026-11-26 is over");
});

test("prices, spans and clock times", () => {
  expect([0.34, 0.3467, 0.5, 1.25, 12, 0.00004, 0].map((amount) => priceText(usd(amount)))).toEqual([
    ...["$0.34", "$0.3467", "$0.50", "$1.25", "$12.00", "<$0.0001", "$0"],
  ]);
  expect([40e3, 60e3, 80e3, 8.4e6, 86.4e6].map(spanText)).toEqual(["40 s", "1 m", "1 m 20 s", "2 h 20 m", "1 d"]);
  expect(clockText(nowMs, nowMs)).toBe("14:00");
  expect(clockText(nowMs + 86_400_000, nowMs)).toBe("14:00 on 28 Nov");
});
