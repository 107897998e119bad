/** `lanthorn rental show`, `list --ended` and `burn`: what leases have been through and what they cost over time. */
import { beforeAll, expect, test, vi } from "vitest";
import { startAdminStub } from "../admin-stub.ts";
import * as box from "./leases.ts";
import { rental } from "./rental-command.ts";

const { nowMs, usd } = box;
const hourMs = 3_600_000;

beforeAll(() => {
  vi.stubEnv("TZ", "Europe/Berlin");
  return () => vi.unstubAllEnvs();
});

const history = {
  events: [
    { atMs: nowMs - 3 * hourMs, state: "ready", reason: "it answers", words: "running" },
    { atMs: nowMs - hourMs, state: "interrupted", reason: "somebody bid more", words: "out\u001b[31mbid" },
  ],
  interruptions: [{ atMs: nowMs - hourMs, cause: "outbid", source: "poll", words: "outbid" }],
  eventsBefore: 7,
  interruptionsBefore: 0,
};
const lease = { ...box.ready, interruptions: 1, meanTimeBetweenInterruptionsMs: 2 * hourMs };

test("show lists states and interruptions, how they were noticed, the market's words and the mean time between", async () => {
  const { url } = await startAdminStub({ "GET /admin/rentals/3": { lease, history, atMs: nowMs } });
  const { stdout } = await rental(["show", "3"], { url });
  expect(stdout.split("\n").slice(-8)).toEqual([
    "WHEN                  STATE        WHY                MARKET SAID",
    "27 Nov 2026 11:00:00  ready        it answers         running",
    expect.stringMatching(/^27 Nov 2026 13:00:00 {2}interrupted {2}somebody bid more {2}out/),
    "7 earlier states left out; --json has more.",
    "INTERRUPTED           CAUSE   NOTICED BY         IN ITS WORDS",
    "27 Nov 2026 13:00:00  outbid  the market's list  outbid",
    "One interruption in 2 h 00 m of being ready, on average.",
    "",
  ]);
  expect(stdout).not.toContain("\u001b");
  const json = JSON.parse((await rental(["show", "3", "--json"], { url })).stdout);
  expect(json).toMatchObject({ id: 3, history: { interruptions: [{ cause: "outbid" }], eventsBefore: 7 } });
});

test("show of a lease whose history cannot be read shows the lease", async () => {
  const { url } = await startAdminStub({ "GET /admin/rentals/3": { lease, history: null, atMs: nowMs } });
  const shown = await rental(["show", "3"], { url });
  expect(shown.code).toBe(0);
  expect(shown.stdout).toContain("Costs now");
  expect(shown.stdout).toContain("Its history cannot be read at the moment.");
});

test("list --ended says how steady those of a name were that have ended", async () => {
  const coder = { rental: "coder", market: "vast", kind: "bid", leases: 5, readyMs: 41 * hourMs, interruptions: 3 };
  const steadiness = [
    { ...coder, meanTimeBetweenInterruptionsMs: 49_200_000 },
    { ...coder, rental: null, kind: "on-demand", leases: 1, interruptions: 0, meanTimeBetweenInterruptionsMs: null },
  ];
  const { url } = await startAdminStub({
    "GET /admin/rentals": { leases: [], summary: null, steadiness, atMs: nowMs },
  });
  const { stdout } = await rental(["list", "--ended"], { url });
  expect(stdout).toContain("coder at vast, bid: 5 leases ended, 1 d 17 h ready, 3 interruptions, one in 13 h 40 m\n");
  expect(stdout).toContain("by hand at vast, on-demand: 1 lease ended, 1 d 17 h ready, never interrupted\n");
  expect(JSON.parse((await rental(["list", "--ended", "--json"], { url })).stdout)).toMatchObject({ steadiness });
});

const row = (period: string, gpu: number) => ({
  ...{ period, fromMs: nowMs, untilMs: nowMs, gpuNanos: usd(gpu), storageNanos: usd(0.1), trafficNanos: 0 },
  ...{ usedNanos: usd(gpu / 2), idleNanos: usd(gpu / 2 + 0.1), runningMs: hourMs, stoppedMs: 0, unknownMs: 60_000 },
  ...{ paidNanos: usd(gpu + 0.1), completionTokens: gpu > 0 ? 2_000_000 : 0 },
  perMillionTokensNanos: gpu > 0 ? usd((gpu + 0.1) / 2) : null,
});

test("burn is a row for each day with a bar, parts and the price of a million tokens, and what all of it comes to", async () => {
  const total = { ...row("", 3), paidNanos: usd(3.2) };
  const periods = [row("2026-11-26", 3), row("2026-11-27", 0)];
  const { url, asked } = await startAdminStub({
    "GET /admin/rentals/burn": { zone: "Europe/Berlin", periods, leases: [], total },
  });
  const { stdout, code } = await rental(["burn", "--from", "2026-11-26"], { url });
  expect(code).toBe(0);
  expect(stdout.split("\n").map((line) => line.replaceAll(/ {2,}/g, "  "))).toEqual([
    "PERIOD  GPU  DISK  TRAFFIC  ALL  USED  IDLE  TOKENS  A MILLION",
    "2026-11-26  $3.00  $0.1000  $0  $3.10  $1.50  $1.60  2.0 M  $1.55  ########################",
    "2026-11-27  $0  $0.1000  $0  $0.1000  $0  $0.1000  0  –  #",
    "Together $3.20: used $1.50, idle $1.60; $1.55 per million tokens served.",
    "1 h 00 m running, of it 1 m 00 s nobody can vouch for, counted as running; 0 ms stopped or starting, where the disk is billed.",
    "Days and months begin in Europe/Berlin.",
    "",
  ]);
  expect(new URL(asked[0]?.url ?? "", url).search).toBe("?by=day&from=2026-11-26");
  expect(JSON.parse((await rental(["burn", "--json"], { url })).stdout).total.paidUsd).toBe("3.200000000");
});

test("burn says what the market's bills made of the count, where they did", async () => {
  const billed = { ...row("2026-11-25", 3), settledNanos: -usd(0.0612), paidNanos: usd(3.0388) };
  const { url } = await startAdminStub({
    "GET /admin/rentals/burn": { zone: null, periods: [billed, row("2026-11-26", 3)], leases: [], total: billed },
  });
  const lines = (await rental(["burn"], { url })).stdout.split("\n").map((line) => line.replaceAll(/ {2,}/g, "  "));
  expect(lines[0]).toContain("TRAFFIC  BY BILL  ALL");
  expect(lines[1]).toContain("2026-11-25  $3.00  $0.1000  $0  -$0.0612  $3.04");
  expect(lines[2]).toContain("2026-11-26  $3.00  $0.1000  $0  $3.10");
});

test("burn by month, by lease, of one lease, and what is wrong before anybody is asked", async () => {
  const leases = [{ ...row("", 1), lease: 3, rental: "coder", market: "vast" }];
  const { url, asked } = await startAdminStub({
    "GET /admin/rentals/burn": { zone: null, periods: [], leases, total: row("", 1) },
  });
  expect((await rental(["burn", "--lease"], { url })).stdout).toContain("lease-3  coder at vast");
  await rental(["burn", "--lease", "lease-3", "--by", "month"], { url });
  expect(asked.map((one) => new URL(one.url, url).search)).toEqual(["?by=lease", "?by=month&lease=3"]);
  expect(await rental(["burn", "--lease", "--by", "day"], { url })).toMatchObject({ code: 2 });
  expect(await rental(["burn", "--lease", "vast"], { url })).toMatchObject({ code: 2 });
  expect(asked).toHaveLength(2);
  expect(await rental(["burn"], {})).toMatchObject({ code: 3 });
});
