/**
 * Two whole boxes: a home whose clock runs twenty times as fast, and a machine that is "started" when the lease desk says so. A stand-in
 * vendor is the fallback meanwhile.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { requestAnswer } from "../../server/cli/answers.ts";
import { rentalLimitsSetting, rentalSetting } from "../../server/config/rental-setting.ts";
import { openRentals } from "../../server/rental/wake/open-rentals.ts";
import { adminOf } from "../support/box-client.ts";
import { fastClock } from "../support/fast-clock.ts";
import { type LeasesInMemory, leasesInMemory, noCaps, offering } from "../support/leases-in-memory.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { postChat, readStream } from "../support/sse.ts";
import { startVendor, type Vendor } from "../support/vendors/vendor.ts";

const factor = 20;
const clock = fastClock(factor);
let vendor: Vendor;
let home: RealBox;
let machine: Promise<{ readonly box: RealBox; readonly key: string }> | null = null;
let desk: LeasesInMemory;
/** What else a machine waits for before it is ready. */
let boots: Promise<unknown> = Promise.resolve();

// Ten seconds of real time: on a busy machine three went by between "ready" and the next question.
const idleStopMs = 200_000;
const den = rentalSetting.parse({ market: "den", models: ["lanthorn-demo"], mostUsdPerHour: "1", idleStopMs });

/** The box on the machine, started once; stopping it is what the lease desk says of it. */
async function bootedMachine() {
  machine ??= realBox({ LANTHORN_AUTH: "always" }).then(async (box) => {
    const answer = await adminOf(box).call("POST", "/admin/keys", { name: "home" });
    return { box, key: ((await answer.json()) as { secret: string }).secret };
  });
  return machine;
}

beforeAll(async () => {
  vendor = await startVendor({ wire: "openai", models: ["stand-in"], price: { prompt: 1, completion: 2 } });
  desk = leasesInMemory(() => clock.now(), "den");
  desk.add({ state: "stopped" });
  let key: string | null = null;
  desk.onWoken = ({ id }) =>
    void Promise.all([bootedMachine(), boots]).then(([booted]) => {
      key = booted.key;
      if (desk.show(id).state === "starting") desk.change(id, { state: "ready", address: booted.box.started.url });
    });
  const routes = {
    coder: ["den/lanthorn-demo", "acme/stand-in"],
    patient: { targets: ["den/lanthorn-demo", "acme/stand-in"], whileAsleep: "wait" },
  };
  home = await realBox(
    {
      LANTHORN_PROVIDERS: JSON.stringify({ acme: { type: "custom", baseUrl: vendor.baseUrl, models: ["stand-in"] } }),
      LANTHORN_ROUTES: JSON.stringify(routes),
      // Files of settings have these two; here the desk and its market are a test's.
      LANTHORN_RENTALS: JSON.stringify({ den: { market: "den", models: ["lanthorn-demo"], mostUsdPerHour: "1" } }),
    },
    {
      clock,
      rented: (parts) => {
        const rentals = openRentals({
          ...{ ...parts, rentals: { den }, limits: rentalLimitsSetting.parse({}), zone: null, desk },
          markets: [offering("den", [], () => clock.now())],
          ...{ taken: ["engine", "acme"], localOnly: false, home: "/", knowSecret: () => {} },
          machine: () => ({ image: "lanthorn", port: 4747, environment: {}, onStart: "" }),
          reach: ({ address }) => (address === null ? null : { url: address, key }),
        });
        parts.onStop(() => rentals.stop());
        return rentals;
      },
    },
  );
});
afterAll(async () => {
  await home.stop();
  await vendor.stop();
  await machine?.then(({ box }) => box.stop());
});

const ask = { messages: [{ role: "user", content: "hello" }], temperature: 0, seed: 1, max_tokens: 6 };
const state = async () => (await (await adminOf(home).call("GET", "/admin/state")).json()) as State;
interface State {
  readonly rented: readonly {
    readonly name: string;
    readonly power: { readonly words: string; readonly state: string };
  }[];
}
const rowOf = async (box: RealBox, id: string | null) =>
  requestAnswer.parse(await (await adminOf(box).call("GET", `/admin/usage/requests/${id}`)).json());
const became = (wanted: string) =>
  new Promise<void>((resolve) => {
    if (desk.show(1).state === wanted) resolve();
    const end = desk.watch((lease) => {
      if (lease.state !== wanted) return;
      end();
      resolve();
    });
  });

test("asleep it is said so everywhere, and nobody who looks wakes it", async () => {
  const words = "asleep; a request starts it, which takes about 2 min";
  expect((await state()).rented).toMatchObject([{ name: "den", power: { state: "asleep", words } }]);
  const health = await adminOf(home).call("POST", "/admin/routes/health", { model: "coder" });
  expect(await health.json()).toMatchObject({
    targets: [{ target: "den/lanthorn-demo", able: true, reason: words }, {}],
  });
  const explained = await adminOf(home).call("POST", "/admin/routes/explain", { model: "coder" });
  expect(await explained.json()).toMatchObject({
    plan: { attempts: [{ reason: "wakes", detail: `${words}; others answer meanwhile` }, { target: "acme/stand-in" }] },
  });
  expect(desk.told).toEqual([]);
});

test("ten requests at once start one instance while the fallback answers; then it takes traffic, and rows of both boxes match", async () => {
  const all = await Promise.all(
    Array.from({ length: 10 }, (_, index) => {
      const body = { ...ask, model: "coder" };
      return index % 2 === 0 ? readStream(home.started.url, body) : postChat(home.started.url, body);
    }),
  );
  expect(all.map(({ status }) => status)).toEqual(Array(10).fill(200));
  expect(desk.told.filter((order) => order.startsWith("start"))).toEqual(["start 1"]);
  await became("ready");
  const answer = await postChat(home.started.url, { ...ask, model: "coder" });
  const rows = await Promise.all(all.map(({ headers }) => rowOf(home, headers.get("x-request-id"))));
  const stories = rows.map(({ attempts }) =>
    attempts
      .map(({ target, reason, status, failureCode }) => `${target} ${reason} ${failureCode ?? status}`)
      .join(", "),
  );
  // Whoever comes when it is on its way already does not ask it.
  const [woke, came] = [
    "den/lanthorn-demo wakes rental_asleep, acme/stand-in in_order done",
    "acme/stand-in in_order done",
  ];
  expect(stories).toContain(woke);
  expect([woke, came]).toEqual(expect.arrayContaining([...new Set(stories)]));
  const asleep = rows[stories.indexOf(woke)]?.attempts[0];
  expect(asleep?.cost).toEqual({ known: true, nanos: 0, basis: "estimated" });
  expect(answer.headers.get("x-lanthorn-target")).toBe("den/lanthorn-demo");
  const row = await rowOf(home, answer.headers.get("x-request-id"));
  expect(row.notes).toMatchObject([{ code: "rented_instance", detail: "lease-1 at den" }]);
  const [attempt] = row.attempts;
  expect(attempt).toMatchObject({
    target: "den/lanthorn-demo",
    status: "done",
    cost: { known: true, basis: "estimated" },
  });
  expect(attempt?.cost).toMatchObject({ nanos: expect.any(Number) });
  const there = await bootedMachine();
  const other = await rowOf(there.box, attempt?.upstreamRequestId ?? null);
  expect(other).toMatchObject({ status: "done", callerName: "home", usage: { completionTokens: 6 } });
  // What the machine's own ledger says of it is not paid again here.
  expect(row.knownCostNanos).toBe(attempt?.cost?.known === true ? attempt.cost.nanos : null);
});

test("unused for its time it is stopped, and the next request that waits is kept alive until it is ready again", async () => {
  await became("stopped");
  expect(desk.told.filter((order) => order.startsWith("st"))).toEqual(["start 1", "stop 1"]);
  let isUp = () => {};
  boots = new Promise<void>((resolve) => {
    isUp = resolve;
  });
  const streamed = postChat(home.started.url, { ...ask, model: "patient", stream: true });
  const whole = postChat(home.started.url, { ...ask, model: "patient" });
  const response = await streamed;
  expect(response.status).toBe(200);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let early = "";
  // Signs of life come every 5 s of the home's time.
  while ((early.match(/^:/gm) ?? []).length < 3) early += (await reader?.read())?.value ?? "";
  expect(early).not.toContain("data:");
  expect((await state()).rented[0]?.power.words).toMatch(/^being started for \d+ s/);
  isUp();
  let rest = "";
  for (let piece = await reader?.read(); piece?.done === false; piece = await reader?.read()) rest += piece.value;
  expect(rest).toContain("data: [DONE]");
  expect(rest).toContain("x-lanthorn-target=den/lanthorn-demo");
  expect((await whole).headers.get("x-lanthorn-target")).toBe("den/lanthorn-demo");
  expect(desk.told.filter((order) => order.startsWith("start"))).toHaveLength(2);
});

test("a client that leaves while it waits ends at once, with a row that says so", async () => {
  await desk.stop(1, "by the test");
  boots = new Promise(() => {});
  const leaving = new AbortController();
  const answer = postChat(home.started.url, { ...ask, model: "patient", stream: true }, { signal: leaving.signal });
  const response = await answer;
  leaving.abort();
  const id = response.headers.get("x-request-id");
  let row = await rowOf(home, id);
  while (row.status === "open") row = await rowOf(home, id);
  expect(row).toMatchObject({ status: "aborted", attempts: [{ target: "den/lanthorn-demo", status: "aborted" }] });
  expect(desk.show(1).state).toBe("starting");
  boots = Promise.resolve();
});

test("where a cap does not allow it the client is told so with a 402, and a route goes on", async () => {
  await desk.stop(1, "by the test");
  desk.burnt = { ...desk.burnt, todayNanos: 20e9, caps: { ...noCaps, perDayNanos: 20e9 } };
  // It was stopped in the midst of its start: so long nobody tries again.
  await new Promise((resolve) => clock.after(31_000, () => resolve(null)));
  const before = desk.told.length;
  const alone = await postChat(home.started.url, { ...ask, model: "den/lanthorn-demo" });
  expect(alone.status).toBe(402);
  const { error } = (await alone.json()) as { error: { code: string; message: string } };
  expect(error.code).toBe("budget_exceeded");
  expect(error.message).toContain("the cap of today ($20.00) does not leave room for an hour at $0.36");
  const routed = await postChat(home.started.url, { ...ask, model: "patient" });
  expect(routed.headers.get("x-lanthorn-target")).toBe("acme/stand-in");
  expect(desk.told.slice(before)).toEqual([]);
});
