/** Guessing is slowed down, per address, and more with every wrong key. */
import { expect, test } from "vitest";
import { addressGroup, createWrongKeyLimit } from "../../../server/access/failures.ts";
import { manualClock } from "../../support/manual-clock.ts";

test("S-36 past ten wrong keys the wait doubles with each further one, up to a minute", () => {
  const clock = manualClock();
  const limit = createWrongKeyLimit(clock);
  for (let tries = 0; tries < 10; tries += 1) expect(limit.note("10.0.0.1")).toBeNull();
  const waits: number[] = [];
  for (let tries = 0; tries < 7; tries += 1) {
    const seconds = limit.note("10.0.0.1") ?? 0;
    waits.push(seconds);
    clock.advance(seconds * 1000);
    expect(limit.note("10.0.0.1")).toBeNull();
  }
  expect(waits).toEqual([6, 12, 24, 48, 60, 60, 60]);
});

test("knocking while one has to wait makes the wait no longer", () => {
  const clock = manualClock();
  const limit = createWrongKeyLimit(clock);
  for (let tries = 0; tries < 10; tries += 1) limit.note("10.0.0.1");
  for (let tries = 0; tries < 1000; tries += 1) expect(limit.note("10.0.0.1")).toBe(6);
  clock.advance(6000);
  expect(limit.waitSeconds("10.0.0.1")).toBeNull();
});

test("an hour without a wrong key, and it begins anew", () => {
  const clock = manualClock();
  const limit = createWrongKeyLimit(clock);
  for (let tries = 0; tries < 14; tries += 1) {
    clock.advance((limit.waitSeconds("10.0.0.1") ?? 0) * 1000);
    limit.note("10.0.0.1");
  }
  clock.advance(3_600_000);
  for (let tries = 0; tries < 10; tries += 1) expect(limit.note("10.0.0.1")).toBeNull();
  expect(limit.waitSeconds("10.0.0.1")).toBe(6);
});

test("one IPv6 network is one guesser; IPv4 addresses are one each, however they are written", () => {
  expect(addressGroup("::ffff:192.168.1.20")).toBe("192.168.1.20");
  expect(addressGroup("192.168.1.20")).toBe("192.168.1.20");
  expect(addressGroup("2001:db8:1:2:aaaa::1")).toBe(addressGroup("2001:DB8:1:2::ffff"));
  expect(addressGroup("2001:db8:1:2::1")).not.toBe(addressGroup("2001:db8:1:3::1"));
  expect(addressGroup("fe80::1%eth0")).toBe(addressGroup("fe80::2"));
  expect(addressGroup("::1")).toBe("::1");
});
