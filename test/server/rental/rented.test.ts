/** What a machine says of itself at its start, and how the settings of a rental go together. */
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../../server/config/load.ts";
import { openRented, type RentalEnd } from "../../../server/rental/rented/rented.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { recordedLog } from "../../support/recorded-log.ts";

const vast = { CONTAINER_ID: "7", CONTAINER_API_KEY: "of this machine alone", VAST_CONTAINERLABEL: "C.7" };
const firstKey = { secret: "the-first-key-of-this-machine-0123456789", keyId: 3 };

function machine(
  environment: Record<string, string>,
  { key = firstKey }: { key?: { secret: string; keyId: number } | null } = {},
) {
  const config = loadConfig({ file: "/nonexistent/lanthorn.yaml", environment, flags: [], workingFolder: "/" });
  const clock = manualClock();
  const log = recordedLog();
  const ends: RentalEnd[] = [];
  const secrets: string[] = [];
  const rented = openRented({
    ...{ settings: config.values, environment, caFile: "", firstKey: key, clock, log },
    knowSecret: (secret) => void secrets.push(secret),
    fingerprint: () => null,
    end: (order) => void ends.push(order),
  });
  return { rented, clock, log, ends, secrets };
}

test("a machine of one's own: nothing of this, and the usual time to stop", () => {
  const { rented, ends, clock } = machine({ LANTHORN_HEADLESS: "true" });
  expect(rented).toMatchObject({ isRental: false, whenIdle: "stay", graceMs: 10_000, line: null, warnings: [] });
  expect(rented.view()).toBeNull();
  clock.advance(86_400_000);
  rented.end("destroy", "nobody asked");
  expect(ends).toEqual([]);
});

test("a headless rental stops itself when idle, has 3 s to stop, and hides its key", () => {
  const { rented, secrets } = machine({ ...vast, LANTHORN_HEADLESS: "true" });
  expect(rented).toMatchObject({ isRental: true, whenIdle: "stop-rental", graceMs: 3_000, warnings: [] });
  expect(secrets).toEqual([vast.CONTAINER_API_KEY, firstKey.secret]);
  expect(machine({ ...vast, LANTHORN_SHUTDOWN_GRACE_MS: "700" }).rented.graceMs).toBe(700);
});

describe("home's silence", () => {
  test("ends the rental once, and home's key puts it off", () => {
    const { rented, clock, ends } = machine({ ...vast, LANTHORN_HOME_SILENCE_MS: "60000" });
    clock.advance(50_000);
    rented.saw({ kind: "key", keyId: 3, name: "home" });
    clock.advance(50_000);
    // Others, and nobody, are not home.
    rented.saw({ kind: "key", keyId: 4, name: "ann" });
    rented.saw({ kind: "admin", keyId: null, name: "admin" });
    rented.saw(null);
    expect(ends).toEqual([]);
    clock.advance(10_000);
    expect(ends).toMatchObject([{ reason: "home was not heard for 60 s", finishMs: 60_000 }]);
    rented.end("stop", "nobody asked");
    clock.advance(600_000);
    expect(ends).toHaveLength(1);
    expect(rented.view()).toMatchObject({ ending: { deed: "stop" } });
  });

  test("is no matter where nobody is home, and that is said", () => {
    const { rented, clock, ends, log } = machine(vast, { key: null });
    clock.advance(80_000_000);
    expect(ends).toEqual([]);
    expect(rented.warnings[0]).toContain("Nobody ends this rental when home is gone");
    expect(log.lines[0]).toContain("Nobody ends this rental when home is gone");
  });
});

test("the end of the lease ends it whatever home says", () => {
  const clock = manualClock();
  const endsAt = new Date(clock.now() + 3_600_000).toISOString();
  const box = machine({ ...vast, LANTHORN_RENTAL_ENDS_AT: endsAt });
  for (let minutes = 0; minutes < 59; minutes += 1) {
    box.clock.advance(60_000);
    box.rented.saw({ kind: "key", keyId: 3, name: "home" });
  }
  expect(box.ends).toEqual([]);
  box.clock.advance(60_000);
  expect(box.ends).toMatchObject([{ reason: "the time of this rental is over" }]);
});

describe("a machine that cannot end itself", () => {
  test("says so, and only its process ends", async () => {
    const { rented, ends, log } = machine({
      LANTHORN_RENTAL_MARKET: "vast",
      LANTHORN_HEADLESS: "true",
      LANTHORN_IDLE_WHEN_IDLE: "stop-rental",
    });
    expect(rented.warnings[0]).toMatch(/cannot end its own rental: its number .* and the market's key for it/);
    expect(rented.line).toBe("vast (number unknown): cannot end itself");
    rented.end("stop", "nobody asked");
    await ends[0]?.carryOut(new AbortController().signal);
    expect(log.lines.at(-1)).toContain("the machine goes on costing");
  });

  test("left to itself it stays, and says what that costs", () => {
    const { rented } = machine({ LANTHORN_RENTAL_MARKET: "runpod", LANTHORN_HEADLESS: "true" });
    expect(rented.whenIdle).toBe("stay");
    expect(rented.warnings.join("\n")).toContain("goes on costing when nobody uses it");
  });
});

test("keys of a whole account, and markets to rent at, are no business of a rented machine", () => {
  const { rented } = machine({
    ...vast,
    VAST_API_KEY: "account",
    LANTHORN_MARKETS: '{"vast":{}}',
    LANTHORN_HEADLESS: "true",
  });
  expect(rented.warnings).toEqual([
    expect.stringMatching(/^VAST_API_KEY: a key of the whole account/),
    expect.stringMatching(/^markets \(vast\)/),
  ]);
});

test.each([
  [{ LANTHORN_IDLE_WHEN_IDLE: "stop-rental" }, "idle.whenIdle"],
  [{ LANTHORN_RENTAL_ENDS_AT: "2026-12-01T18:00:00Z" }, "thisRental.market"],
])("%j on a machine that nobody rented does not start", (environment, param) => {
  expect(() => machine(environment)).toThrow(expect.objectContaining({ code: "cannot_start", param }));
});
