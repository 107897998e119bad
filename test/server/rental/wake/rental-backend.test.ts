/**
 * The backend of a rented target before stand-in machines that speak OpenAI's wire, with the lease desk in memory: who is asked, who waits,
 * what becomes of a machine that goes away, what an attempt costs.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RentalSetting, rentalLimitsSetting, rentalSetting } from "../../../../server/config/rental-setting.ts";
import { isEnd } from "../../../../server/domain/chat.ts";
import { asFailure } from "../../../../server/domain/failure.ts";
import { systemClock } from "../../../../server/platform/clock.ts";
import { createUpstreamFetch } from "../../../../server/platform/upstream/upstream-fetch.ts";
import { openRentals, type Rentals } from "../../../../server/rental/wake/open-rentals.ts";
import { createRouter } from "../../../../server/router/router.ts";
import { chatRequest, collect } from "../../../support/chat-request.ts";
import { type LeasesInMemory, leasesInMemory, noCaps, offering } from "../../../support/leases-in-memory.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { finished, scriptedBackend } from "../../../support/scripted-backend.ts";
import { faults, startVendor, type Vendor } from "../../../support/vendors/vendor.ts";

const never = new AbortController().signal;
const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
let machines: readonly Vendor[];
let desk: LeasesInMemory;
let rentals: Rentals;
beforeAll(async () => {
  machines = await Promise.all([1, 2].map(() => startVendor({ wire: "openai", models: ["qwen"] })));
});
beforeEach(() => {
  for (const machine of machines) {
    machine.script();
    machine.clear();
  }
  desk = leasesInMemory(() => Date.now(), "coder");
});
afterEach(() => rentals.stop());
afterAll(async () => {
  await Promise.all(machines.map((machine) => machine.stop()));
  await upstream.close();
});

function open(wishes: Partial<RentalSetting> = {}, localOnly = false) {
  const setting = rentalSetting.parse({ market: "den", models: ["qwen"], mostUsdPerHour: "1", ...wishes });
  rentals = openRentals({
    ...{
      rentals: { coder: setting },
      limits: rentalLimitsSetting.parse({}),
      zone: null,
      desk,
      localOnly,
      home: "/",
      upstream,
    },
    markets: [offering("den", [], Date.now)],
    taken: ["engine"],
    machine: () => ({ image: "lanthorn", port: 4747, environment: {}, onStart: "" }),
    ...{ clock: systemClock, log: recordedLog(), knowSecret: () => {} },
  });
  const [backend] = rentals.backends;
  if (backend === undefined) throw new Error("no backend");
  return backend;
}

const ready = (machine: number, wishes = {}) =>
  desk.add({ state: "ready", address: machines[machine]?.url ?? null, ...wishes });
const asks = () =>
  machines.map(({ log }) => log.requests.filter(({ path }) => path.endsWith("/chat/completions")).length);
let calls = 0;
const ask = (backend: ReturnType<typeof open>, session: string | null = null, signal = never, whileAsleep = {}) => {
  calls += 1;
  const context = { requestId: `req_${calls}`, callerName: "ayo", session, ...whileAsleep };
  return backend.chat(chatRequest("hi", { model: "coder/qwen" }), context, signal);
};

describe("ready", () => {
  test("is asked as the peer it is, with our request's id; the row hears which lease it was, and what its share of the rent is", async () => {
    ready(0);
    const backend = open();
    machines[0]?.script({ text: "hello there", gapMs: 30 });
    const { text, events } = await collect(ask(backend));
    expect(text).toBe("hello there");
    expect(events[0]).toMatchObject({
      type: "accepted",
      notes: [{ code: "rented_instance", detail: "lease-1 at den" }],
    });
    expect(machines[0]?.log.requests[0]?.headers["x-request-id"]).toBe(`req_${calls}`);
    expect(desk.told).toEqual(["begin 1", expect.stringMatching(/^over 1 \(\d+ tokens\)$/)]);
    const target = { backendId: "coder", model: "qwen" };
    const cost = rentals.cost.take(`req_${calls}`, target);
    // $0.36 an hour is 100 nano-USD a microsecond: at least the 30 ms between its pieces, at most five seconds.
    expect(cost).toMatchObject({ known: true, basis: "estimated" });
    const nanos = cost?.known === true ? cost.nanos : 0;
    expect(nanos).toBeGreaterThanOrEqual(3_000);
    expect(nanos).toBeLessThan(500_000);
    expect(rentals.cost.take("req_other", target)).toEqual({ known: true, nanos: 0, basis: "estimated" });
    expect(rentals.cost.take("req_other", { ...target, backendId: "engine" })).toBe(null);
  });

  test("what is asked at once is spread; a session comes back to where it was", async () => {
    for (const machine of [0, 1]) ready(machine);
    const backend = open();
    for (const machine of machines) machine.script(() => ({ text: "x", firstMs: 50 }));
    await Promise.all([1, 2, 3, 4].map(() => collect(ask(backend))));
    expect(asks()).toEqual([2, 2]);
    const busy = Promise.all([1, 2].map(() => collect(ask(backend))));
    await collect(ask(backend, "s1"));
    await busy;
    const [, there] = asks();
    for (let turn = 0; turn < 3; turn += 1) await collect(ask(backend, "s1"));
    const [first = 0, second = 0] = asks();
    expect([first + second, second - (there ?? 0)]).toContain(10);
    expect([0, 3]).toContain(second - (there ?? 0));
  });

  test("one whose answers break off is asked last, and the desk is told to look", async () => {
    for (const machine of [0, 1]) ready(machine);
    const backend = open();
    machines[0]?.script({ fault: faults.cut }, { fault: faults.cut });
    const { end } = await collect(ask(backend));
    expect(end).toMatchObject({ type: "failed", failure: { code: "rental_lost" } });
    expect(desk.told).toContain("suspect 1");
    expect((await collect(ask(backend))).end.type).toBe("finished");
    expect(asks()).toEqual([1, 1]);
  });

  test("whose connection is refused fails over inside a route, unseen by the client", async () => {
    desk.add({ state: "ready", address: "http://127.0.0.1:9" });
    ready(1);
    const router = createRouter([open()], { random: () => 0.5 });
    const attempts: string[] = [];
    const hooks = {
      opened: () => {},
      closed: (_: number, end: { type: string; failure?: { code: string } }) =>
        void attempts.push(end.failure?.code ?? end.type),
    };
    const context = { requestId: "req_over", callerName: "ayo" };
    const request = chatRequest("hi", { model: "coder/qwen" });
    const { end } = await collect(router.run(router.plan("coder/qwen"), request, context, never, hooks));
    expect(end.type).toBe("finished");
    expect(attempts).toEqual(["rental_lost", "finished"]);
  });

  test("a request in the midst ends with one error that clients retry when the desk hears that its machine is gone", async () => {
    ready(0);
    const backend = open();
    machines[0]?.script({ text: "one two three four five six", fault: { kind: "stall", afterFrames: 3 } });
    const events: string[] = [];
    for await (const event of ask(backend)) {
      events.push(event.type);
      if (event.type === "text" && events.filter((type) => type === "text").length === 1) {
        desk.become(1, "interrupted", "outbid");
      }
      if (isEnd(event)) {
        expect(event).toMatchObject({ type: "failed", failure: { code: "rental_lost", retryAfterSeconds: 1 } });
        expect(event.type === "failed" && event.failure.message).toContain(
          "(lease-1) did not answer to the end: outbid.",
        );
      }
    }
    expect(events.filter((type) => type === "failed")).toHaveLength(1);
    expect(backend.power?.()).toMatchObject({ state: "refused", words: expect.stringContaining("interrupted") });
  });

  test("an error of the request itself says nothing of the machine", async () => {
    ready(0);
    const backend = open();
    machines[0]?.script({ fault: faults.invalid });
    await expect(collect(ask(backend))).rejects.toMatchObject({ code: "upstream_invalid_request" });
    expect(desk.told.some((order) => order.startsWith("suspect"))).toBe(false);
  });
});

describe("asleep", () => {
  test("ten at once to a sleeping target start one instance, and the fallback answers all of them; then it takes traffic", async () => {
    desk.add({ state: "stopped", address: null });
    const cloud = scriptedBackend("cloud", ["any"], []);
    const router = createRouter([open(), { ...cloud, kind: "cloud" }], {
      routes: { coder: { groups: [{ targets: [{ target: "coder/qwen" }] }, { targets: [{ target: "cloud/any" }] }] } },
      random: () => 0.5,
    });
    const one = async () => {
      const log: string[] = [];
      const hooks = {
        opened: (_: number, { target, reason }: { target: { backendId: string }; reason: string }) =>
          void log.push(`${target.backendId} ${reason}`),
        closed: (_: number, end: { type: string; failure?: { code: string } }) =>
          void log.push(end.failure?.code ?? end.type),
      };
      const context = { requestId: `req_${Math.random()}`, callerName: "ayo" };
      const request = chatRequest("hi", { model: "coder" });
      await collect(router.run(router.plan("coder"), request, context, never, hooks));
      return log.join(", ");
    };
    const first = router.explain("coder");
    expect(first.attempts[0]).toMatchObject({
      target: "coder/qwen",
      reason: "wakes",
      detail: "asleep; a request starts it, which takes about 2 min; others answer meanwhile",
    });
    expect(desk.told).toEqual([]);
    const answers = await Promise.all(Array.from({ length: 10 }, one));
    expect(new Set(answers)).toEqual(new Set(["coder wakes, rental_asleep, cloud in_order, finished"]));
    expect(desk.told).toEqual(["start 1"]);
    expect(await one()).toBe("cloud in_order, finished");
    expect(router.explain("coder").excluded).toMatchObject([{ target: "coder/qwen", reason: "waking" }]);
    expect(router.state().find(({ target }) => target === "coder/qwen")?.power?.words).toContain("being started for");
    desk.change(1, { state: "ready", address: machines[0]?.url ?? null });
    expect(await one()).toBe("coder in_order, finished");
    expect(asks()).toEqual([1, 0]);
  });

  test("where nobody else can answer the client is told when to come back, and that it is being started", async () => {
    desk.add({ state: "stopped" });
    const router = createRouter([open()], { random: () => 0.5 });
    const run = () => {
      const context = { requestId: `req_${Math.random()}`, callerName: "ayo" };
      const hooks = { opened: () => {}, closed: () => {} };
      const request = chatRequest("hi", { model: "coder/qwen" });
      return collect(router.run(router.plan("coder/qwen"), request, context, never, hooks)).catch(asFailure);
    };
    expect(await run()).toMatchObject({ code: "rental_asleep", retryAfterSeconds: 60, kind: { httpStatus: 503 } });
    expect(await run()).toMatchObject({ code: "no_target", retryAfterSeconds: 60, kind: { httpStatus: 503 } });
    expect(desk.told).toEqual(["start 1"]);
  });

  test("a route that waits is answered by the machine it has woken, whatever the rental's own setting is", async () => {
    desk.add({ state: "stopped" });
    desk.onWoken = () => setImmediate(() => desk.change(1, { state: "ready", address: machines[0]?.url ?? null }));
    const router = createRouter([open({ whileAsleep: "fallback" }), scriptedBackend("other", ["any"], [[finished]])], {
      routes: {
        coder: {
          groups: [{ targets: [{ target: "coder/qwen" }] }, { targets: [{ target: "other/any" }] }],
          whileAsleep: "wait",
        },
      },
    });
    expect(router.explain("coder").attempts[0]?.detail).toContain("the request waits for it");
    const hooks = { opened: () => {}, closed: () => {} };
    const context = { requestId: "req_wait", callerName: "ayo" };
    const { end } = await collect(
      router.run(router.plan("coder"), chatRequest("hi", { model: "coder" }), context, never, hooks),
    );
    expect(end.type).toBe("finished");
    expect(asks()).toEqual([1, 0]);
  });

  test("a client that leaves while it waits is gone at once, and leaves nothing behind", async () => {
    desk.add({ state: "stopped" });
    const backend = open({ whileAsleep: "wait" });
    const leaving = new AbortController();
    const answer = collect(ask(backend, null, leaving.signal));
    setImmediate(() => leaving.abort());
    expect((await answer).events.map(({ type }) => type)).toEqual(["aborted"]);
    expect(desk.told).toEqual(["start 1"]);
    expect(rentals.view()).toMatchObject([{ name: "coder", instances: [{ lease: 1, inFlight: 0 }] }]);
  });

  test("a look wakes nobody, and says how it is in the same words", async () => {
    desk.add({ state: "stopped" });
    const router = createRouter([open()]);
    const words = "asleep; a request starts it, which takes about 2 min";
    expect(await router.probe("coder/qwen", "answers", never)).toMatchObject([
      { target: "coder/qwen", able: true, depth: null, reason: words },
    ]);
    expect(rentals.view()[0]?.power.words).toBe(words);
    expect(desk.told).toEqual([]);
  });

  test("a cap leaves it out of the plan with its reason, and a request that has nobody else is refused with it", async () => {
    desk.add({ state: "stopped" });
    desk.burnt = { ...desk.burnt, monthNanos: 200e9, caps: { ...noCaps, perMonthNanos: 200e9 } };
    const backend = open();
    const router = createRouter([backend, scriptedBackend("other", ["any"], [])], {
      routes: { coder: { groups: [{ targets: [{ target: "coder/qwen" }, { target: "other/any" }] }] } },
    });
    expect(router.explain("coder").excluded).toMatchObject([
      { reason: "not_able", detail: expect.stringContaining("not started: lease-1: the cap of this month ($200.00)") },
    ]);
    await expect(collect(ask(backend))).rejects.toMatchObject({ code: "budget_exceeded" });
    expect(desk.told).toEqual([]);
  });
});

test("an entry that a request could not be rented by is refused at the start, with the setting and the reason", () => {
  const wrong = { code: "cannot_start", message: 'The rental "coder" cannot be used as set.' };
  const refusal = (wishes: Partial<RentalSetting>) => {
    try {
      open(wishes);
      return null;
    } catch (thrown) {
      return thrown;
    }
  };
  expect(refusal({ mayRent: true })).toMatchObject({ ...wrong, param: "rentals.coder.image" });
  expect(refusal({ mostUsdPerHour: undefined })).toMatchObject({ ...wrong, param: "rentals.coder.mostUsdPerHour" });
  expect(refusal({ kind: "bid" })).toMatchObject({ ...wrong, param: "rentals.coder.bidUsdPerHour" });
  expect(refusal({ mayRent: true, image: "lanthorn" })).toBeNull();
});

test("a box that keeps to itself has no rented targets, unless the machine is its owner's", () => {
  expect(() => open({}, true)).toThrow("no backend");
  expect(open({ dataPolicy: "local" }, true).id).toBe("coder");
});

test("prompts go to a rented machine as to somebody who keeps nothing, unless the settings say otherwise", () => {
  ready(0);
  const router = createRouter([open()]);
  expect(router.explain("coder/qwen", { data: "local" }).excluded).toMatchObject([{ reason: "data_leaves" }]);
  expect(router.explain("coder/qwen", { data: "no-retention" }).attempts).toHaveLength(1);
});
