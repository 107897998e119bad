/** `/admin/rentals`: what may be seen and ordered, by whom, and what is told of it on the event stream. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { rentalLimitsSetting } from "../../../server/config/rental-setting.ts";
import { systemClock } from "../../../server/platform/clock.ts";
import { createRentalDesk } from "../../../server/rental/rental-desk.ts";
import { noRecords, pretendLeases, pretendMarket } from "../../support/pretend-rentals.ts";
import { burn, offer, ready, stopped, usd } from "../cli/rental/leases.ts";
import { jsonOf, openRoom, type Room } from "./room.ts";

const leases = pretendLeases([ready, stopped], burn);
let room: Room;
let bare: Room;
beforeAll(async () => {
  room = await openRoom({
    rentals: (publish) =>
      createRentalDesk({
        ...noRecords,
        leases,
        publish,
        markets: [pretendMarket("vast", systemClock.now, [offer])],
        rentals: {},
        limits: rentalLimitsSetting.parse({}),
        machine: () => ({ image: "lanthorn", port: 4747, environment: {}, onStart: "" }),
        clock: systemClock,
      }),
  });
  bare = await openRoom();
});
afterAll(() => Promise.all([room.close(), bare.close()]));

async function ask(method: string, path: string, body?: unknown, at = room) {
  const headers = { authorization: `Bearer ${at.adminKey}`, "content-type": "application/json" };
  const answer = await fetch(`${at.url}/admin/rentals${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await jsonOf<Record<string, unknown>>(answer) };
}

test("an admin's only", async () => {
  for (const path of ["", "/3", "/offers", "/quote", "/orphans", "/summary"]) {
    const refused = await room.get(`/admin/rentals${path}`, { authorization: `Bearer ${room.inferenceKey}` });
    expect([path, refused.status]).toEqual([path, 403]);
  }
});

test("leases, one of them, and the sums, with the server's own time", async () => {
  const { body } = await ask("GET", "");
  expect(body).toMatchObject({ leases: [{ id: 3 }, { id: 2 }], summary: { costing: 2, stopped: { leases: 1 } } });
  expect(body.atMs).toBeTypeOf("number");
  expect(await ask("GET", "/2")).toMatchObject({
    status: 200,
    body: { lease: { id: 2, state: "stopped" }, history: { events: [], interruptions: [] } },
  });
  expect(body).not.toHaveProperty("steadiness");
  expect(await ask("GET", "?ended=true")).toMatchObject({ body: { steadiness: [] } });
  expect(await ask("GET", "/burn?by=month&lease=3")).toMatchObject({ status: 200, body: { total: { paidNanos: 0 } } });
  expect(await ask("GET", "/burn?by=year")).toMatchObject({ status: 400 });
  expect(await ask("GET", "/77")).toMatchObject({ status: 404 });
  expect(await ask("GET", "/x")).toMatchObject({ status: 404 });
  expect(await ask("GET", "/summary")).toMatchObject({ body: { summary: { todayNanos: usd(3.18) } } });
});

test("offers and quotes by query, and what is wrong with a query is named", async () => {
  expect(await ask("GET", "/offers?gpu=RTX+4090&gpuCount=1&mostPerHourNanos=500000000")).toMatchObject({
    status: 200,
    body: { offers: [{ offerId: "77310" }], markets: [{ market: "vast", trouble: null }] },
  });
  expect(await ask("GET", "/offers?kind=spot")).toMatchObject({ status: 400, body: { error: { param: "kind" } } });
  expect(await ask("GET", "/quote?gpu=RTX+4090&longestMs=7200000")).toMatchObject({
    status: 200,
    body: { quote: { mostNanos: usd(0.68) } },
  });
  expect(await ask("GET", "/quote?mostUsdPerHour=much")).toMatchObject({
    status: 400,
    body: { error: { param: "mostUsdPerHour" } },
  });
  expect(leases.rented).toEqual([]);
});

test("nothing is rented without the price that was agreed to; each change is told as an event", async () => {
  expect(await ask("POST", "", { market: "vast", offerId: "77310" })).toMatchObject({
    status: 400,
    body: { error: { param: "agreedPerHourNanos" } },
  });
  expect(await ask("POST", "", { market: "vast", offerId: "77310", agreedPerHourNanos: 1 })).toMatchObject({
    status: 404,
  });
  expect(leases.rented).toEqual([]);

  const following = new AbortController();
  const stream = await fetch(`${room.url}/admin/events`, {
    headers: { authorization: `Bearer ${room.adminKey}` },
    signal: following.signal,
  });
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  await reader?.read();
  const rented = await ask("POST", "", { market: "vast", offerId: "77310", agreedPerHourNanos: usd(0.34) });
  expect(rented).toMatchObject({ status: 201, body: { lease: { id: 101, state: "starting" } } });
  let told = "";
  while (!told.includes("\n\n")) told += (await reader?.read())?.value ?? "";
  expect(told).toMatch(/^event: lease\ndata: \{"type":"lease","lease":\{"id":101,/);
  following.abort();
});

test("start, stop, destroy and bid are passed on with who asked", async () => {
  leases.orders.length = 0;
  expect(await ask("POST", "/3/stop")).toMatchObject({ status: 200, body: { lease: { state: "stopping" } } });
  expect(await ask("POST", "/2/start", { reason: "the evening" })).toMatchObject({
    body: { lease: { state: "starting" } },
  });
  expect(await ask("POST", "/2/bid", { perHourNanos: usd(0.3) })).toMatchObject({ status: 200 });
  expect(await ask("POST", "/2/bid", { perHourNanos: "0.3" })).toMatchObject({ status: 400 });
  expect(await ask("POST", "/3/destroy", {})).toMatchObject({ body: { lease: { state: "destroying" } } });
  expect(leases.orders).toEqual([
    "stop (asked by hand) 3",
    "start (the evening) 2",
    `bid ${usd(0.3)} 2`,
    "destroy (asked by hand) 3",
  ]);
});

test("orphans are listed and ended", async () => {
  const orphan = {
    market: "vast",
    instanceId: "9",
    label: null,
    state: "running",
    perHourNanos: null,
    reason: "",
  } as const;
  leases.found = [orphan];
  expect(await ask("GET", "/orphans")).toMatchObject({ body: { orphans: [orphan], unread: [] } });
  expect(await ask("POST", "/orphans/end", {})).toMatchObject({ status: 400 });
  expect(await ask("POST", "/orphans/end", { orphans: null })).toMatchObject({ body: { ended: [{ trouble: null }] } });
  expect(leases.found).toEqual([]);
});

test("bills and prices are passed on by query; a day that is none is named", async () => {
  expect(await ask("GET", "/bills?from=2026-11-01&to=2026-11-26")).toMatchObject({
    status: 200,
    body: { from: "2026-11-01", to: "2026-11-26", agrees: true },
  });
  expect(await ask("GET", "/bills?from=2026-11-31&to=2026-11-26")).toMatchObject({
    body: { error: { param: "from" } },
  });
  expect(await ask("GET", "/prices?gpu=RTX+4090")).toMatchObject({ status: 200, body: { series: [] } });
});

test("where no market is set up there are no leases, and the rest says so", async () => {
  expect(await ask("GET", "", undefined, bare)).toMatchObject({ status: 200, body: { leases: [], summary: null } });
  expect(await ask("GET", "/summary", undefined, bare)).toMatchObject({ body: { summary: null } });
  const refused = await ask("GET", "/offers", undefined, bare);
  expect(refused).toMatchObject({ status: 404, body: { error: { why: "Below markets: of lanthorn.yaml is none." } } });
});
