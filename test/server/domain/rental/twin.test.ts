/** Which machine is the second one of a lease, and which only looks like it. */
import { expect, test } from "vitest";
import { intendedLease, type LeaseRecord } from "../../../../server/domain/rental/lease-record.ts";
import type { RentalInstance } from "../../../../server/domain/rental/market.ts";
import { foundTwin, leaseOfTwin, twinsIn } from "../../../../server/domain/rental/twin.ts";
import { quietRates } from "../../../support/rental/fake-market.ts";
import { terms } from "../../../support/rental/rental-world.ts";

const nowMs = Date.UTC(2026, 10, 27, 10);
const minuteMs = 60_000;
const label = "lanthorn-0123456789ab-1";
const facts = { market: "vast", kind: "on-demand", bidPerHourNanos: null, gpu: "RTX 3090", gpuCount: 1 } as const;
const lease: LeaseRecord = {
  ...intendedLease({ ...facts, id: 1, rental: "coder", label, offerId: "7", quoted: quietRates, terms }, nowMs),
  ...{ instanceId: "i1", state: "ready" },
};
const one = (instanceId: string, more: Partial<RentalInstance> = {}): RentalInstance => ({
  ...facts,
  ...{ instanceId, label, state: "running", words: "running", meantToRun: true, rates: quietRates, address: null },
  ...{ region: null, createdAtMs: nowMs + 10_000, ...more },
});
const twins = (
  instances: readonly RentalInstance[],
  leases: readonly LeaseRecord[] = [lease],
  skewMs: number | null = 0,
) =>
  twinsIn({ instances, takenAtMs: nowMs + minuteMs, skewMs }, leases, nowMs + minuteMs).map(
    ({ instance }) => instance.instanceId,
  );

test("the one that has the label and is not the lease's own, once that is in the same list", () => {
  expect(twins([one("i1"), one("i2")])).toEqual(["i2"]);
  expect(twins([one("i2")])).toEqual([]);
  expect(twins([one("i1", { state: "gone" }), one("i2")])).toEqual([]);
  expect(twins([one("i1"), one("i2")], [{ ...lease, instanceId: null }])).toEqual([]);
  expect(twins([one("i1"), one("i2", { label: "lanthorn-ffffffffffff-1" })])).toEqual([]);
  expect(twins([one("i1"), one("i2", { label: null }), one("i3", { state: "gone" })])).toEqual([]);
});

test("made when its lease was, by the market's clock or, where it does not say, seen then; and the same machine", () => {
  expect(twins([one("i1"), one("i2", { createdAtMs: nowMs + 6 * minuteMs })])).toEqual([]);
  expect(twins([one("i1"), one("i2", { createdAtMs: nowMs - 2 * minuteMs })])).toEqual([]);
  const hours = 3 * 3_600_000;
  expect(twins([one("i1"), one("i2", { createdAtMs: nowMs + hours })], [lease], hours)).toEqual(["i2"]);
  expect(twins([one("i1"), one("i2", { createdAtMs: null })])).toEqual(["i2"]);
  expect(twins([one("i1"), one("i2", { createdAtMs: null })], [{ ...lease, createdAtMs: nowMs - hours }])).toEqual([]);
  expect(twins([one("i1"), one("i2", { gpu: "H100 SXM" })])).toEqual([]);
});

test("one that has a lease already, or of a machine of the settings, is none", () => {
  const [twin] = twinsIn({ instances: [one("i1"), one("i2")], takenAtMs: nowMs, skewMs: 0 }, [lease], nowMs + minuteMs);
  if (twin === undefined) throw new Error("there is a twin");
  const meant = leaseOfTwin({ id: 2, label: "lanthorn-0123456789ab-2" }, twin);
  const found = foundTwin(meant, twin, nowMs + minuteMs, nowMs + minuteMs);
  expect(found).toMatchObject({
    id: 2,
    state: "destroying",
    wish: "end",
    instanceId: "i2",
    createdAtMs: nowMs + 10_000,
  });
  expect(twins([one("i1"), one("i2")], [lease, found])).toEqual([]);
  expect(twins([one("i1"), one("i2")], [{ ...lease, terms: null }])).toEqual([]);
});
