/**
 * The orchestration plan's on-demand table: hours a day of an RTX 3090 at Vast.ai for $0.25 an hour, in a month of 30 days. Each row is a
 * simulated month of a lease that is started and stopped every day, read from the ledger.
 */
import { expect, test } from "vitest";
import { addDays, dayMs, startOfUtcDay } from "../../../server/domain/day.ts";
import { addedBurn, paidNanos } from "../../../server/domain/rental/burn.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { FakeMarket, usd } from "../../support/rental/fake-market.ts";
import { forever, hourMs, minuteMs, rentalWorld, terms, wishFor } from "../../support/rental/rental-world.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const first = "2026-06-01";
const days = 30;

async function monthOf(hours: number) {
  const clock = manualClock(startOfUtcDay(first));
  const market = new FakeMarket(clock, { bootMs: 1_000 });
  const world = rentalWorld({
    ...{ folder: temporaryFolder(), clock, market, pollMs: 2 * hourMs, healthMs: 2 * hourMs },
    caps: { perDayNanos: null, perMonthNanos: null },
  });
  const { desk, passes, ledger } = world;
  const forAMonth = { ...terms, idleStopMs: null, destroyAfterMs: null, longestMs: 32 * 24 * hourMs };
  const noCaps = { perInstanceNanos: null, perDayNanos: null, perMonthNanos: null };
  await desk.rent(wishFor(market, { terms: { ...forAMonth, caps: noCaps } }), forever);
  for (let day = 0; day < days; day += 1) {
    if (day > 0 && hours < 24) await desk.start(1, "the day begins");
    await passes(minuteMs);
    const end = desk.begin(1);
    await passes(hours * hourMs - 2 * minuteMs);
    end({ completionTokens: 100_000 * hours });
    await passes(minuteMs);
    if (hours === 24) continue;
    await desk.stop(1, "the day's work is done");
    await passes((24 - hours) * hourMs);
  }
  world.leases.close();
  const { leases: book } = ledger;
  const burn = addedBurn(book.pieces(1));
  let ofDays = 0;
  for (let day = first; day < addDays(first, days); day = addDays(day, 1)) {
    const [today] = book.burnIn(startOfUtcDay(day), startOfUtcDay(day) + dayMs);
    ofDays += today?.nanos ?? 0;
  }
  await ledger.close();
  expect(ofDays).toBe(paidNanos(burn));
  expect(Math.abs(paidNanos(burn) - market.billed("i1"))).toBeLessThan(usd(0.02));
  return burn;
}

test.each([
  [2, 15],
  [6, 45],
  [12, 90],
  [24, 180],
])("seeds: %s hours a day of a 3090 cost $%s a month, and the disk besides", async (hours, dollars) => {
  const { gpuNanos, storageNanos, usedNanos, idleNanos, completionTokens } = await monthOf(hours);
  expect(Math.abs(gpuNanos - usd(dollars))).toBeLessThan(usd(0.01));
  // What the table leaves out: a cent an hour for the disk while it runs, and two while it is stopped.
  expect(Math.abs(storageNanos - usd(days * (hours * 0.01 + (24 - hours) * 0.02)))).toBeLessThan(usd(0.01));
  expect(usedNanos + idleNanos).toBe(gpuNanos + storageNanos);
  expect(usedNanos).toBeGreaterThan(0.95 * gpuNanos);
  expect(completionTokens).toBe(days * hours * 100_000);
});
