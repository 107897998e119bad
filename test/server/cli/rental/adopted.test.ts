/** `lanthorn rental` and a machine of the settings: shown like any, and ordered about by nobody. */
import { expect, test } from "vitest";
import { startAdminStub } from "../admin-stub.ts";
import * as box from "./leases.ts";
import { rental } from "./rental-command.ts";

const { nowMs, usd } = box;
const caps = { perDayNanos: usd(3), perMonthNanos: usd(200) };
const stub = () =>
  startAdminStub({
    "GET /admin/rentals/7": { lease: box.adopted, atMs: nowMs },
    "GET /admin/rentals/7/bid": {
      ...{
        lease: box.adopted,
        leastBidPerHourNanos: null,
        takenAtMs: null,
        trouble: "there is no bidding",
        atMs: nowMs,
      },
    },
    "GET /admin/rentals": {
      leases: [box.adopted],
      summary: { ...box.burn, caps, stopped: { leases: 0, perDayNanos: 0 }, atMs: nowMs },
      atMs: nowMs,
    },
  });

test("list says that it stays, and that a cap which is reached does not end it", async () => {
  const { url } = await stub();
  const { stdout } = await rental(["list"], { url });
  expect(stdout).toContain("stays while it is in the settings");
  expect(stdout).toContain("A cap is reached, and lease-7 goes on costing: it is a machine of the settings");
});

test("show has no limits to tell of", async () => {
  const { url } = await stub();
  const { stdout } = await rental(["show", "lease-7"], { url });
  expect(stdout).toMatch(/Next +stays while it is in the settings/);
  expect(stdout).toMatch(/Limits +none: it is a machine of the settings, and nobody ends it from here/);
});

test("start, stop, destroy and bid say that it cannot be and what to do instead, --dry-run too, and order nothing", async () => {
  const { url, asked } = await stub();
  const orders = [
    ["start", "--yes"],
    ["stop"],
    ["destroy", "--yes"],
    ["destroy", "--dry-run"],
    ["bid", "0.5", "--yes"],
  ];
  for (const [order = "", ...rest] of orders) {
    const { code, stdout, stderr } = await rental([order, "lease-7", ...rest], { url });
    expect({ order, code, stdout }).toEqual({ order, code: 2, stdout: "" });
    expect(stderr).toContain(`nobody can ${order === "bid" ? "bid for" : order} it from here`);
    expect(stderr).toContain("markets.desk.enabled: false");
  }
  expect(asked.filter(({ method }) => method !== "GET")).toEqual([]);
});
