/** `lanthorn rental` beside a stand-in market: with a real server, and with none. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../../server/platform/clock.ts";
import { openLedger } from "../../../../server/ledger/ledger.ts";
import { boxId } from "../../../../server/platform/box-id.ts";
import { dataPaths } from "../../../../server/platform/paths.ts";
import { intendedLease } from "../../../../server/domain/rental/lease-record.ts";
import { startVastMarket } from "../../../support/markets/vast.ts";
import type { StandIn, StandInOptions } from "../../../support/markets/stand-in.ts";
import { realBox } from "../../../support/real-box.ts";
import { until } from "../../../support/real-engine.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { rentalsCheck } from "../../../../server/cli/doctor/rentals.ts";
import { lanthorn, startLanthorn } from "../run-command.ts";
import { rates, terms } from "./leases.ts";
import { rental } from "./rental-command.ts";

async function marketWith(options: StandInOptions = {}): Promise<StandIn> {
  const market = await startVastMarket(options);
  onTestFinished(() => market.close());
  return market;
}

/** A data folder whose settings name the market, with the account's key in a file. */
function homeWith(market: StandIn): string {
  const home = temporaryFolder();
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "vast.key"), market.key, { mode: 0o600 });
  writeFileSync(
    join(home, "lanthorn.yaml"),
    `markets:\n  vast:\n    baseUrl: ${market.url}\n    keyFile: vast.key\nrentalLimits:\n  pollMs: 1000\n`,
  );
  return home;
}

/** What an instance runs: it says that it can serve. */
async function machine(): Promise<string> {
  const server = createServer((_request, response) => void response.end("{}"));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const deeds = (market: StandIn) => market.house.calls.filter((call) => !/^GET |^POST \/bundles\//.test(call));

test("without --yes and without a terminal nothing is rented, and the market's log is empty", async () => {
  const market = await marketWith();
  const home = homeWith(market);
  const outcomes = [
    await lanthorn(["rental", "rent", "vast/1"], { environment: { LANTHORN_HOME: home } }),
    await rental(["rent", "--gpu", "RTX 3090", "--json"], { home }),
    await rental(["rent", "coder", "--bid", "0.2"], { home }),
  ];
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
    expect(outcome.stderr).toContain("--yes");
  }
  expect(market.house.calls).toEqual([]);
});

test("with no server: offers of both kinds, orphans, and the command that ends them", async () => {
  const market = await marketWith({ offers: [{ price: "0.22" }, { price: "NaN", leastBid: "0.1" }] });
  const home = homeWith(market);
  const offers = await rental(["offers", "--json"], { home });
  expect(offers).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(offers.stdout)).toMatchObject({
    offers: [
      { offerId: "2", kind: "bid" },
      { offerId: "1", kind: "bid" },
      { offerId: "1", kind: "on-demand" },
    ],
    markets: [{ market: "vast", trouble: null, rejected: [{ offerId: "2" }] }],
  });

  const [offer] = market.house.offers;
  if (offer === undefined) throw new Error("no offer");
  const rent = (label: string) =>
    market.house.rent(offer, { label, isBid: false, diskGb: 40, bid: null, environment: {} });
  const lost = rent(`lanthorn-${boxId(home)}-7`);
  rent("somebody else's");
  const listed = await rental(["orphans"], { home });
  expect(listed).toMatchObject({ code: 0 });
  expect(listed.stdout).toContain(`vast/${lost.id}`);
  expect(listed.stdout.trim().split("\n")).toHaveLength(3);
  expect(await rental(["orphans", "--end"], { home })).toMatchObject({ code: 2 });
  expect(market.house.alive()).toHaveLength(2);
  expect(await rental(["orphans", "--end", "--yes"], { home })).toMatchObject({
    code: 0,
    stdout: `vast/${lost.id} is destroyed, confirmed.\n`,
  });
  expect(market.house.alive().map(({ label }) => label)).toEqual(["somebody else's"]);
  expect((await rental(["orphans"], { home })).stdout).toContain("No orphans");
});

test("with no server: a market that fails is exit 8, none that is set up exit 5, and renting exit 3", async () => {
  const market = await marketWith({ script: "html" });
  const home = homeWith(market);
  expect(await rental(["offers"], { home })).toMatchObject({ code: 8, stdout: "" });
  expect(await rental(["orphans"], { home })).toMatchObject({ code: 8 });
  expect(await rental(["rent", "vast/1", "--image", "lanthorn", "--yes"], { home })).toMatchObject({ code: 3 });
  expect(await rental(["list"], { home })).toMatchObject({ code: 3 });
  const bare = await rental(["offers"], { home: temporaryFolder() });
  expect(bare).toMatchObject({ code: 5 });
  expect(bare.stderr).toContain("Below markets: of lanthorn.yaml is none.");
});

test("with no server: what a dead box left running is destroyed by its market's own number, and its lease ended", async () => {
  const market = await marketWith();
  const home = homeWith(market);
  const label = `lanthorn-${boxId(home)}-1`;
  const [offer] = market.house.offers;
  if (offer === undefined) throw new Error("no offer");
  const one = market.house.rent(offer, { label, isBid: false, diskGb: 40, bid: null, environment: {} });
  const ledger = openLedger(dataPaths({ LANTHORN_HOME: home }).ledger, { clock: systemClock, log: recordedLog() });
  const wish = { id: 1, rental: null, market: "vast", label, kind: "on-demand", bidPerHourNanos: null } as const;
  const offered = { gpu: "RTX 3090", gpuCount: 1, offerId: "1", quoted: rates, terms };
  const lease = { ...intendedLease({ ...wish, ...offered }, Date.now()), state: "ready", instanceId: one.id } as const;
  ledger.leases.write(lease, { from: null });
  await ledger.close();

  expect((await rental(["orphans"], { home })).stdout).toContain("No orphans");
  // It has a lease, and while no server runs nobody looks after it.
  const environment = { LANTHORN_HOME: home };
  const { signal } = new AbortController();
  const around = { environment, workingFolder: home, paths: dataPaths(environment), server: null, signal };
  expect(await rentalsCheck.look(around)).toMatchObject({
    ...{ status: "fail", text: "1 rental costs $0.34 an hour, and no server looks after it", fix: "lanthorn serve" },
  });
  // A second machine of its label is nobody's.
  const twin = market.house.rent(offer, { label, isBid: false, diskGb: 40, bid: null, environment: {} });
  expect((await rental(["orphans"], { home })).stdout).toContain(`vast/${twin.id} `);
  expect(await rental(["orphans", "--end", "--yes"], { home })).toMatchObject({ code: 0 });
  expect(market.house.alive().map(({ id }) => id)).toEqual([one.id]);
  expect(await rental(["destroy", `vast/${one.id}`], { home })).toMatchObject({ code: 2 });
  const ended = await rental(["destroy", `vast/${one.id}`, "--yes"], { home });
  expect(ended).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("lease-1 is destroyed, confirmed by the market"),
  });
  expect(market.house.alive()).toEqual([]);
});

test("what nobody looks after is said by doctor, and by a server that starts", async () => {
  const market = await marketWith();
  const home = homeWith(market);
  const environment = { LANTHORN_HOME: home, LANTHORN_HARDWARE_SAMPLE_MS: "0" };
  const [offer] = market.house.offers;
  if (offer === undefined) throw new Error("no offer");
  const label = `lanthorn-${boxId(home)}-7`;
  market.house.rent(offer, { label, isBid: false, diskGb: 40, bid: null, environment: {} });
  const { signal } = new AbortController();
  const around = { environment, workingFolder: home, paths: dataPaths(environment), server: null, signal };
  expect(await rentalsCheck.look(around)).toMatchObject({
    ...{ status: "fail", text: expect.stringMatching(/^1 instance nobody looks after, \$0\.\d+ an hour$/) },
  });
  const server = startLanthorn(["serve", "--port", "0", "--log-level", "silent"], { environment });
  let said = "";
  for await (const text of server.stderr.setEncoding("utf8")) {
    said += String(text);
    if (said.includes("\n")) break;
  }
  expect(said).toBe("1 instance at markets has no lease and costs money: lanthorn rental orphans\n");
});

test("with a server: rent, list, bid, stop and destroy, and the market was asked for just that", async () => {
  const market = await marketWith({ bootMs: 100, runs: await machine() });
  const key = join(temporaryFolder(), "vast.key");
  writeFileSync(key, market.key, { mode: 0o600 });
  const box = await realBox({
    LANTHORN_MARKETS: JSON.stringify({ vast: { baseUrl: market.url, keyFile: key, tls: "off" } }),
    LANTHORN_RENTAL_LIMITS_POLL_MS: "1000",
  });
  onTestFinished(() => box.stop());
  const server = {
    url: box.started.url,
    key: readFileSync(dataPaths({ LANTHORN_HOME: box.home }).adminKey, "utf8").trim(),
  };
  const run = (...args: string[]) => rental(args, server);

  const dry = await run("rent", "--gpu", "rtx3090", "--image", "lanthorn", "--bid", "0.2", "--for", "2h", "--dry-run");
  expect(dry).toMatchObject({ code: 0 });
  expect(dry.stdout).toContain("Would ask   vast to create 1, bid at $0.20/h");
  expect(deeds(market)).toEqual([]);

  const rented = await run("rent", "--gpu", "rtx3090", "--image", "lanthorn", "--bid", "0.2", "--for", "2h", "--yes");
  expect(rented).toMatchObject({ code: 0, stdout: "lease-1\n" });
  expect(rented.stderr).toMatch(/lease-1 starting: .+ of 15 m \(\$0\.2056\/h\)/);
  const listed = JSON.parse((await run("list", "--json")).stdout);
  expect(listed).toMatchObject({
    leases: [{ id: 1, state: "ready", kind: "bid", instanceId: "1001" }],
    summary: { costing: 1, caps: { perDayUsd: "20.000000000" } },
  });
  // Its create was carried out twice: the second one is destroyed, and nobody had to look.
  const [offer] = market.house.offers;
  if (offer === undefined) throw new Error("the stand-in has an offer");
  const { label } = listed.leases[0];
  const twin = market.house.rent(offer, { label, isBid: false, diskGb: 40, bid: null, environment: {} });
  await until("the second one is gone", () => market.house.find(twin.id) === undefined);
  expect((await run("bid", "1")).stdout).toMatch(/^lease-1 bids \$0\.20\/h\. The least taken now .*: \$0\.11\/h/);
  expect(await run("bid", "1", "0.25", "--yes")).toMatchObject({ code: 0 });
  expect(await run("stop", "lease-1")).toMatchObject({ code: 0, stdout: expect.stringContaining("$0.1333/day") });
  expect(await run("destroy", "1", "--yes")).toMatchObject({ code: 0 });
  expect((await run("orphans")).stdout).toContain("No orphans");
  expect(deeds(market).map((call) => call.replace(/ \{.*/, ""))).toEqual([
    ...[
      "PUT /asks/1/",
      `DELETE /instances/${twin.id}/`,
      "PUT /instances/bid_price/1001/",
      "PUT /instances/1001/",
      "DELETE /instances/1001/",
    ],
  ]);
  expect(deeds(market)[0]).toContain('"price":0.2');
  expect(market.house.alive()).toEqual([]);
  const bills = await run("bills", "--json");
  expect(bills).toMatchObject({ code: 0 });
  const [bill] = JSON.parse(bills.stdout).markets;
  expect(bill).toMatchObject({
    market: "vast",
    state: "compared",
    rows: [
      { instanceId: "1001", lease: 1 },
      { instanceId: twin.id, lease: 2 },
    ],
  });
  expect(Math.abs(bill.differenceNanos)).toBeLessThan(10_000_000);
  // Today is not over: nothing is taken over yet.
  const settled = JSON.parse((await run("bills", "--settle", "--json")).stdout);
  expect(settled).toMatchObject({
    markets: [
      {
        rows: [
          { lease: 1, settled: null },
          { lease: 2, settled: null },
        ],
      },
    ],
  });
  expect(await run("rent", "vast/9", "--image", "lanthorn", "--yes")).toMatchObject({ code: 5 });
});
