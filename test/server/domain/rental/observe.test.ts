/** What a market's list makes of a lease. */
import { expect, test } from "vitest";
import { intendedLease, moved } from "../../../../server/domain/rental/lease-record.ts";
import type { RentalInstance, RentKind } from "../../../../server/domain/rental/market.ts";
import { observed } from "../../../../server/domain/rental/observe.ts";
import { noCaps } from "../../../support/leases-in-memory.ts";

const nowMs = 1_700_000_000_000;
const rates = {
  ...{ gpuPerHourNanos: 1, storagePerHourNanos: 1, stoppedStoragePerHourNanos: 1 },
  ...{ uploadPerGbNanos: 0, downloadPerGbNanos: 0 },
};
const terms = {
  ...{ caps: noCaps, longestMs: 3_600_000, bootDeadlineMs: 60_000, idleStopMs: null, destroyAfterMs: null },
};

function started(kind: RentKind) {
  const wish = { id: 1, rental: null, market: "vast", label: "lanthorn-box-1", kind, gpu: "RTX 3090", gpuCount: 1 };
  const bidPerHourNanos = kind === "bid" ? 1 : null;
  const lease = intendedLease({ ...wish, bidPerHourNanos, offerId: "1", quoted: rates, terms }, nowMs);
  return moved({ ...lease, instanceId: "7" }, "starting", "the market has made it", nowMs);
}

function listing(kind: RentKind) {
  const instance: RentalInstance = {
    ...{
      market: "vast",
      instanceId: "7",
      label: "lanthorn-box-1",
      state: "loading",
      words: "",
      meantToRun: true,
      kind,
    },
    ...{ bidPerHourNanos: null, gpu: "RTX 3090", gpuCount: 1, rates, address: null, region: null, createdAtMs: nowMs },
  };
  return { instances: [instance], takenAtMs: nowMs + 1_000, skewMs: 0 };
}

test("a bid that became the dear kind ends at once: nobody has agreed to that price", () => {
  const { lease } = observed(started("bid"), listing("on-demand"), nowMs + 1_000);
  expect(lease).toMatchObject({
    state: "destroying",
    wish: "end",
    wishReason: "it is on demand, and a bid was ordered",
  });
});

test("what is of the kind that was ordered goes on", () => {
  expect(observed(started("bid"), listing("bid"), nowMs + 1_000).lease).toMatchObject({
    state: "starting",
    wish: "run",
  });
  const { lease } = observed(started("on-demand"), listing("on-demand"), nowMs + 1_000);
  expect(lease).toMatchObject({ state: "starting", wish: "run" });
});
