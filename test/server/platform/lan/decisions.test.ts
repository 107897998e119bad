/** Whether a box announces itself, where, and with which words. */
import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, test } from "vitest";
import {
  type Announcement,
  hostLabel,
  instanceName,
  readTxt,
  txtOf,
} from "../../../../server/platform/lan/announcement.ts";
import { boxesOf } from "../../../../server/platform/lan/find.ts";
import { announceAddresses, shouldAnnounce } from "../../../../server/platform/lan/should-announce.ts";
import { readSurroundings } from "../../../../server/platform/lan/surroundings.ts";

describe("whether", () => {
  const office = { loopbackOnly: false, container: false, rental: false };
  test.each([
    ["auto", office, true],
    ["auto", { ...office, loopbackOnly: true }, false],
    ["auto", { ...office, container: true }, false],
    ["auto", { ...office, rental: true }, false],
    ["on", { ...office, container: true, rental: true }, true],
    ["on", { ...office, loopbackOnly: true }, false],
    ["off", office, false],
  ] as const)("%s with %j: %s", (setting, facts, announce) => {
    expect(shouldAnnounce({ setting, ...facts }).announce).toBe(announce);
  });

  test("a wish that is not followed is explained", () => {
    expect(shouldAnnounce({ setting: "on", ...office, loopbackOnly: true })).toMatchObject({
      reason: expect.stringContaining("this computer only"),
    });
    expect(shouldAnnounce({ setting: "auto", ...office, loopbackOnly: true })).toMatchObject({ reason: null });
  });

  test("containers and rented machines are known by what their makers leave in them", () => {
    const nothing = [() => false, () => ""] as const;
    expect(readSurroundings({}, ...nothing)).toEqual({ container: false, rental: false });
    expect(readSurroundings({}, (path) => path === "/.dockerenv", nothing[1]).container).toBe(true);
    expect(readSurroundings({}, nothing[0], () => "0::/kubepods/burstable/x").container).toBe(true);
    expect(readSurroundings({ RUNPOD_POD_ID: "x" }, ...nothing).rental).toBe(true);
    const unreadable = () => {
      throw new Error("no such file");
    };
    expect(readSurroundings({}, () => false, unreadable).container).toBe(false);
  });
});

test("it speaks where it listens", () => {
  const card = (address: string, internal = false) =>
    ({ address, family: address.includes(":") ? "IPv6" : "IPv4", internal }) as NetworkInterfaceInfo;
  const cards = {
    lo: [card("127.0.0.1", true)],
    eth0: [card("192.168.1.20"), card("fd00::2")],
    eth1: [card("10.0.0.7")],
  };
  expect(announceAddresses("0.0.0.0", cards)).toEqual(["192.168.1.20", "10.0.0.7"]);
  expect(announceAddresses("::", cards)).toEqual(["192.168.1.20", "10.0.0.7"]);
  expect(announceAddresses("10.0.0.7", cards)).toEqual(["10.0.0.7"]);
  expect(announceAddresses("fd00::2", cards)).toEqual([]);
});

describe("the words", () => {
  const fingerprint = ("AB".repeat(32).match(/../g) ?? []).join(":");
  const atlas: Announcement = { name: "atlas", box: "0123456789ab", version: "0.1.0", fingerprint, keyNeeded: true };

  test("say version, name, TLS, certificate and whether a key is needed, and nothing else", () => {
    expect(txtOf({ ...atlas, name: "Atlas.office.example" })).toEqual({
      txtvers: "1",
      name: "atlas",
      id: "0123456789ab",
      v: "0.1.0",
      tls: "1",
      fp: "ab".repeat(32),
      auth: "key",
    });
    for (const [key, value] of Object.entries(txtOf(atlas))) expect(`${key}=${value}`.length).toBeLessThan(256);
  });

  test("are read back", () => {
    expect(readTxt(txtOf(atlas))).toEqual(atlas);
    expect(readTxt(txtOf({ ...atlas, fingerprint: null }))).toEqual({ ...atlas, fingerprint: null });
  });

  test.each([
    ["nothing", {}],
    ["a name that steers a terminal", { ...txtOf(atlas), name: "a\u001b[2J" }],
    ["a name that is too long", { ...txtOf(atlas), name: "a".repeat(64) }],
    ["a version that is a sentence", { ...txtOf(atlas), v: "0.1 run curl" }],
    ["TLS without a certificate", { ...txtOf(atlas), fp: undefined }],
    ["a certificate without TLS", { ...txtOf(atlas), tls: "0" }],
    ["a fingerprint that is none", { ...txtOf(atlas), fp: "abc" }],
    ["no texts", { name: 1, id: [], v: {}, tls: true }],
  ])("are not believed with %s", (_what, txt) => expect(readTxt(txt)).toBeNull());

  test("the service's name fits into a DNS label whatever the machine is called", () => {
    for (const name of ["atlas", "a".repeat(300), "Мой компьютер", "", "-.-", "box_1.lan"]) {
      expect(instanceName({ ...atlas, name })).toMatch(/^(?=.{1,63}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
      expect(hostLabel(name)).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
    }
  });

  test("one box heard twice is one, and shouting is cut off", () => {
    const heard = (box: string, address: string, port = 4747) => ({
      txt: txtOf({ ...atlas, box }),
      port,
      referer: { address },
    });
    expect(boxesOf([heard("aaaaaaaaaaaa", "10.0.0.7"), heard("aaaaaaaaaaaa", "192.168.1.20")])).toEqual([
      expect.objectContaining({ url: "https://10.0.0.7:4747" }),
    ]);
    expect(boxesOf([heard("aaaaaaaaaaaa", "10.0.0.7", 0), { port: 1 }, { txt: "x", port: 1 }])).toEqual([]);
    const many = Array.from({ length: 1000 }, (_, at) => heard(at.toString(16).padStart(12, "0"), "10.0.0.7"));
    expect(boxesOf(many)).toHaveLength(256);
  });
});
