/** For whom a certificate of our own is, and when it is made anew. */
import { describe, expect, test } from "vitest";
import {
  certificateName,
  certificateOrder,
  renewBeforeMs,
  wantedNames,
} from "../../../../server/platform/tls/names.ts";

test.each([
  ["Box.Example:8443", "box.example"],
  ["box.example.", "box.example"],
  ["[::1]:443", "::1"],
  ["FD00::2", "fd00::2"],
  ["192.168.1.20:4747", "192.168.1.20"],
  ["bücher.example", "xn--bcher-kva.example"],
  ["fe80::1%eth0", null],
  ["0.0.0.0", null],
  ["a b", null],
  ["a,CN=b", null],
  ["*", null],
  ["", null],
  [`${"a".repeat(64)}.example`, null],
])("%j is %j in a certificate", (host, name) => expect(certificateName(host)).toBe(name));

test("wanted are loopback, the machine's names and those of `hosts:`, once each and not without end", () => {
  expect(wantedNames(["atlas", "atlas.local", "192.168.1.20", "127.0.0.1"], ["box.example:8443", "atlas"])).toEqual([
    "localhost",
    "127.0.0.1",
    "::1",
    "box.example",
    "atlas",
    "atlas.local",
    "192.168.1.20",
  ]);
  expect(
    wantedNames(
      Array.from({ length: 500 }, (_, at) => `h${at}`),
      [],
    ),
  ).toHaveLength(100);
});

describe("a new one is made", () => {
  const nowMs = 1_790_000_000_000;
  const have = { names: ["localhost", "atlas"], notAfterMs: nowMs + renewBeforeMs };

  test("when there is none", () => {
    expect(certificateOrder(null, ["localhost"], nowMs)).toEqual({ make: true, reason: "none", names: ["localhost"] });
  });
  test("not while the one at hand is for all names and has time left", () => {
    expect(certificateOrder(have, ["localhost"], nowMs)).toEqual({ make: false });
  });
  test("before it ends", () => {
    expect(certificateOrder(have, ["localhost"], nowMs + 1)).toMatchObject({ make: true, reason: "expires" });
  });
  test("when a name came; names that went stay, so that going back changes nothing", () => {
    const order = certificateOrder(have, ["localhost", "10.0.0.7"], nowMs);
    expect(order).toEqual({ make: true, reason: "names", names: ["localhost", "10.0.0.7", "atlas"] });
    const names = order.make ? order.names : [];
    expect(certificateOrder({ ...have, names }, ["localhost", "atlas"], nowMs)).toEqual({ make: false });
  });
});
