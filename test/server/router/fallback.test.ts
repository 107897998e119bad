/** S-25 over scripted backends and a clock that stands still; over real connections in `test/server/routes-box.test.ts`. */
import { describe, expect, test } from "vitest";
import type { ChatEvent } from "../../../server/domain/chat.ts";
import { Failure, type FailureCode } from "../../../server/domain/failure.ts";
import { groups } from "../../support/routing-facts.ts";
import { noTimings } from "../../../server/domain/usage.ts";
import {
  accepted,
  contentOf,
  empty,
  failing,
  finish,
  ping,
  type Scripts,
  settle,
  started,
  text,
  world,
  type WorldOptions,
} from "../../support/routing-world.ts";
import { finished, someUsage } from "../../support/scripted-backend.ts";

const fail = (code: FailureCode, coolDownMs: number | null = null) =>
  new Failure(code, `it says ${code}`, { coolDownMs });
const ab = (scripts: Scripts, options: WorldOptions = {}, setting = {}) =>
  world(
    { "a/m": [], "b/m": [], ...scripts },
    { routes: { any: { groups: groups(["a/m"], ["b/m"]), retries: 0, ...setting } }, ...options },
  );

describe("S-25 B answers when A", () => {
  test.each<FailureCode>([
    "upstream_failed",
    "upstream_overloaded",
    "upstream_rate_limited",
    "upstream_timeout",
    "upstream_unreachable",
    "upstream_cut",
    "upstream_key_refused",
    "upstream_quota",
    "upstream_model_missing",
    "context_length_exceeded",
    "queue_full",
    "no_room",
    "worker_died",
    "model_unavailable",
    "shutting_down",
    "unsupported",
    "model_not_found",
    "ledger_unavailable",
  ])("says %s: one answer, both attempts closed", async (code) => {
    const { clock, ask, asked } = ab({ "a/m": [[fail(code)]] });
    const journey = ask("any");
    await finish(clock, journey);
    expect(await journey.end).toMatchObject({ type: "finished" });
    expect(contentOf(journey)).toEqual([text]);
    expect(asked).toEqual(["a/m", "b/m"]);
    const reason = code === "context_length_exceeded" ? "longer_context" : "in_order";
    expect(journey.log).toEqual(["1 a/m in_order", `1 ${code}`, `2 b/m ${reason}`, "2 finished"]);
  });

  test("breaks off after frames that are no content", async () => {
    const begins = [accepted, started, ping, empty];
    const { clock, ask } = ab({
      "a/m": [[...begins, failing(fail("upstream_cut"))]],
      "b/m": [[started, text, finished]],
    });
    const journey = ask("any");
    await finish(clock, journey);
    // Nothing of the first answer is seen: a client that got its start would get two.
    expect(journey.events).toEqual([started, text, finished]);
  });
});

describe("S-25 nobody else is asked", () => {
  test.each<FailureCode>([
    "invalid_request",
    "upstream_invalid_request",
    "unknown_key",
    "forbidden",
    "rate_limited",
    "content_filtered",
    "internal",
  ])("after %s", async (code) => {
    const failure = fail(code);
    const { clock, ask, asked } = ab({ "a/m": [[failure]] });
    const journey = ask("any");
    await finish(clock, journey);
    expect(await journey.end).toBe(failure);
    expect(asked).toEqual(["a/m"]);
    expect(journey.log).toHaveLength(2);
  });

  test("after the first content, whatever it is", async () => {
    const contents: readonly ChatEvent[] = [
      text,
      { type: "reasoning", text: "hm" },
      { type: "refusal", text: "no" },
      { type: "tool-call", index: 0, id: "c1", name: "f" },
    ];
    for (const content of contents) {
      const { clock, ask, asked } = ab({ "a/m": [[started, content, failing(fail("upstream_cut"))]] });
      const journey = ask("any");
      await finish(clock, journey);
      expect(journey.events.map(({ type }) => type)).toEqual(["started", content.type, "failed"]);
      expect(asked).toEqual(["a/m"]);
    }
  });

  test("after a failure that is thrown behind content: one event says so", async () => {
    const { clock, ask, asked } = ab({ "a/m": [[text, fail("upstream_failed")]] });
    const journey = ask("any");
    await finish(clock, journey);
    expect(await journey.end).toMatchObject({ type: "failed", failure: { code: "upstream_failed" } });
    expect(asked).toEqual(["a/m"]);
  });
});

describe("S-25 a filter that withholds the answer", () => {
  const withheld: ChatEvent = {
    type: "finished",
    finishReason: "content-filter",
    usage: someUsage,
    timings: noTimings,
  };
  test.each([
    ["as an error", [fail("content_filtered")]],
    ["as an answer without content", [started, withheld]],
  ] as const)("%s moves the request only where the route asks for it", async (_, beats) => {
    const plain = ab({ "a/m": [[...beats]] });
    await finish(plain.clock, plain.ask("any"));
    expect(plain.asked).toEqual(["a/m"]);
    const asking = ab({ "a/m": [[...beats]] }, {}, { fallbackOn: ["content-filter"] });
    await finish(asking.clock, asking.ask("any"));
    expect(asking.asked).toEqual(["a/m", "b/m"]);
  });
});

describe("S-25 time", () => {
  test("no content within firstTokenMs: the attempt is stopped, what it used is booked, B answers", async () => {
    const { clock, ask } = ab({ "a/m": [[started, "silent"]] }, {}, { firstTokenMs: 2_000 });
    const journey = ask("any");
    await settle();
    clock.advance(1_999);
    await settle();
    expect(journey.log).toEqual(["1 a/m in_order"]);
    clock.advance(1);
    await settle();
    expect(await journey.end).toMatchObject({ type: "finished" });
    expect(journey.log).toEqual(["1 a/m in_order", "1 upstream_timeout", "2 b/m in_order", "2 finished"]);
  });

  test("a backend that heeds no abort holds nobody up for longer than a second", async () => {
    const { clock, ask } = ab({ "a/m": [["deaf"]] }, {}, { firstTokenMs: 2_000 });
    expect(await finish(clock, ask("any"))).toBeLessThanOrEqual(3_100);
  });

  test("firstTokenMs is over once content has come", async () => {
    const { clock, ask } = ab({ "a/m": [[text, 60_000, finished]] }, {}, { firstTokenMs: 2_000 });
    const journey = ask("any");
    await finish(clock, journey);
    expect(await journey.end).toMatchObject({ type: "finished" });
  });

  test("too long in a queue goes elsewhere, once it is computed it stays", async () => {
    const waits = ab({ "a/m": [[accepted, "silent"]] }, {}, { maxQueueWaitMs: 3_000 });
    const moved = waits.ask("any");
    expect(await finish(waits.clock, moved)).toBeLessThan(3_200);
    expect(moved.log[1]).toBe("1 queue_full");
    const computes = ab({ "a/m": [[accepted, started, 60_000, text, finished]] }, {}, { maxQueueWaitMs: 3_000 });
    await finish(computes.clock, computes.ask("any"));
    expect(computes.asked).toEqual(["a/m"]);
    const alone = world(
      { "a/m": [[accepted, 60_000, text, finished]] },
      { routes: { any: { groups: groups(["a/m"]), maxQueueWaitMs: 3_000 } } },
    );
    const stayed = alone.ask("any");
    await finish(alone.clock, stayed);
    expect(await stayed.end).toMatchObject({ type: "finished" });
  });

  test("the deadline holds over all attempts and waits, and cuts an answer that has begun", async () => {
    const broken = fail("upstream_failed");
    const scripts: Scripts = {
      "a/m": [
        [1_500, broken],
        [1_500, broken],
      ],
      "b/m": [["silent"]],
    };
    const many = ab(scripts, {}, { deadlineMs: 4_000, retries: 5 });
    const journey = many.ask("any");
    expect(await finish(many.clock, journey)).toBeLessThanOrEqual(5_000);
    expect(many.asked).toEqual(["a/m", "a/m", "b/m"]);
    expect(await journey.end).toMatchObject({ type: "failed", failure: { code: "upstream_timeout" } });
    const long = ab({ "a/m": [[text, "silent"]] }, {}, { deadlineMs: 4_000 });
    const begun = long.ask("any");
    expect(await finish(long.clock, begun)).toBeLessThanOrEqual(5_000);
    expect(begun.events.map(({ type }) => type)).toEqual(["text", "failed"]);
    expect(await begun.end).toMatchObject({ usage: someUsage });
    expect(long.asked).toEqual(["a/m"]);
  });
});

describe("S-25 within a group", () => {
  const group = (scripts: Scripts, setting = {}, options: WorldOptions = {}) =>
    world(
      { "a/m": [], "b/m": [], "c/m": [], ...scripts },
      { routes: { any: { groups: groups(["a/m", "b/m"], ["c/m"]), ...setting } }, ...options },
    );
  const broken = fail("upstream_failed");

  test("its other targets come first, then the same ones again after a pause, then the next group", async () => {
    const { clock, ask, asked } = group({ "a/m": [[broken], [broken]], "b/m": [[broken], [broken]] });
    const journey = ask("any");
    expect(await finish(clock, journey)).toBeGreaterThan(300);
    expect(asked).toEqual(["a/m", "b/m", "a/m", "b/m", "c/m"]);
    expect(journey.log.filter((line) => line.includes("/"))).toEqual([
      "1 a/m in_order",
      "2 b/m in_order",
      "3 a/m retry",
      "4 b/m retry",
      "5 c/m in_order",
    ]);
  });

  test("what will not pass is not asked again", async () => {
    const { clock, ask, asked } = group({ "a/m": [[fail("no_room")]], "b/m": [[fail("upstream_model_missing")]] });
    await finish(clock, ask("any"));
    expect(asked).toEqual(["a/m", "b/m", "c/m"]);
  });

  test("the attempt limit holds", async () => {
    const { clock, ask, asked } = group(
      { "a/m": [[broken], [broken]], "b/m": [[broken], [broken]] },
      { maxAttempts: 3 },
    );
    const journey = ask("any");
    await finish(clock, journey);
    expect(asked).toEqual(["a/m", "b/m", "a/m"]);
    expect(await journey.end).toBe(broken);
  });

  test("a prompt that is too long goes only where more fits", async () => {
    const long = fail("context_length_exceeded");
    const { clock, ask, asked } = group(
      { "a/m": [[long]] },
      {},
      {
        models: { "a/m": { contextLength: 8_000 }, "b/m": { contextLength: 4_000 }, "c/m": { contextLength: 32_000 } },
      },
    );
    const journey = ask("any");
    await finish(clock, journey);
    expect(asked).toEqual(["a/m", "c/m"]);
    expect(journey.log[2]).toBe("2 c/m longer_context");
  });
});

describe("S-25 Retry-After", () => {
  const alone = (scripts: Scripts, setting = {}) =>
    world(scripts, { routes: { any: { groups: groups(["a/m"]), ...setting } } });

  test("is waited for where nobody else could answer", async () => {
    const { clock, ask, asked } = alone({ "a/m": [[fail("upstream_rate_limited", 7_000)]] });
    const tookMs = await finish(clock, ask("any"));
    expect(asked).toEqual(["a/m", "a/m"]);
    expect(tookMs).toBeGreaterThanOrEqual(7_000);
    expect(tookMs).toBeLessThan(7_200);
  });

  test("is not waited for past twenty seconds, or past the deadline: the failure says how long", async () => {
    for (const [coolDownMs, setting] of [
      [3_600_000, {}],
      [7_000, { deadlineMs: 5_000 }],
    ] as const) {
      const limited = fail("upstream_rate_limited", coolDownMs);
      const { clock, ask, asked } = alone({ "a/m": [[limited]] }, setting);
      const journey = ask("any");
      expect(await finish(clock, journey)).toBeLessThan(100);
      expect(await journey.end).toBe(limited);
      expect(asked).toEqual(["a/m"]);
    }
  });

  test.each([7_000, 1_000, 300])("of %s ms is not waited for where somebody else can answer", async (coolDownMs) => {
    const { clock, ask, asked } = ab({ "a/m": [[fail("upstream_rate_limited", coolDownMs)]] }, {}, { retries: 3 });
    expect(await finish(clock, ask("any"))).toBeLessThan(100);
    expect(asked).toEqual(["a/m", "b/m"]);
  });

  test("is waited for where the next group cannot be asked now either, and the one that is back first is asked", async () => {
    const { clock, ask, asked } = ab(
      { "a/m": [[fail("upstream_rate_limited", 3_000)]], "b/m": [[fail("upstream_overloaded", 60_000)]] },
      {},
      { retries: 1 },
    );
    const journey = ask("any");
    const tookMs = await finish(clock, journey);
    expect(asked).toEqual(["a/m", "b/m", "a/m"]);
    expect(tookMs).toBeGreaterThanOrEqual(3_000);
    expect(await journey.end).toMatchObject({ type: "finished" });
  });

  test.each<FailureCode>(["upstream_key_refused", "upstream_quota"])(
    "nobody waits for what only a person can mend: %s without another key is the answer at once",
    async (code) => {
      const failure = fail(code);
      const { clock, ask, asked } = alone({ "a/m": [[failure]] });
      const journey = ask("any");
      expect(await finish(clock, journey)).toBeLessThan(100);
      expect(await journey.end).toBe(failure);
      expect(asked).toEqual(["a/m"]);
    },
  );

  test("is about one key: another one is tried at once, at the same target", async () => {
    const { clock, ask, asked } = ab(
      { "a/m": [[fail("upstream_rate_limited", 60_000)], [fail("upstream_key_refused")]] },
      { ready: { a: () => asked.length < 2 } },
    );
    const journey = ask("any");
    expect(await finish(clock, journey)).toBeLessThan(100);
    expect(asked).toEqual(["a/m", "a/m", "b/m"]);
    expect(journey.log).toContain("2 a/m other_key");
  });
});

test("S-25 a client that leaves ends the wait between attempts at once, and no further attempt is made", async () => {
  const leaving = new AbortController();
  const { clock, ask, asked } = world(
    { "a/m": [[fail("upstream_rate_limited", 9_000)]] },
    { routes: { any: { groups: groups(["a/m"]) } } },
  );
  const journey = ask("any", { signal: leaving.signal });
  await settle();
  clock.advance(1_000);
  leaving.abort();
  await settle();
  expect(await journey.end).toMatchObject({ type: "aborted" });
  clock.advance(60_000);
  await settle();
  expect(asked).toEqual(["a/m"]);
});

test("S-11 never another model: a name that is served has one target, and its failure is the answer", async () => {
  const failure = fail("model_unavailable");
  const { clock, ask, asked, router } = world({ "engine/coder": [[failure]], "a/other": [] });
  const journey = ask("coder");
  await finish(clock, journey);
  expect(await journey.end).toBe(failure);
  expect(asked).toEqual(["engine/coder"]);
  expect(journey.plan()).toMatchObject({ attempts: [{ target: "engine/coder", reason: "only_target" }] });
  expect(() => router.plan("codr")).toThrow('No model "codr" here. Did you mean "coder"?');
});

test("S-25 embeddings go the same way", async () => {
  const capabilities = ["embeddings" as const];
  const { router, asked } = ab(
    { "a/m": [[fail("upstream_overloaded")]] },
    { models: { "a/m": { capabilities }, "b/m": { capabilities } } },
  );
  const log: string[] = [];
  const hooks = {
    opened: (number: number) => void log.push(`open ${number}`),
    closed: (number: number) => void log.push(`close ${number}`),
  };
  const request = { model: "any", inputs: [{ type: "text" as const, text: "x" }], dimensions: null };
  const types: string[] = [];
  const events = router.embed(
    router.plan("any", "embeddings"),
    request,
    { requestId: "r", callerName: "ayo" },
    new AbortController().signal,
    hooks,
  );
  for await (const event of events) types.push(event.type);
  expect(types).toEqual(["result", "finished"]);
  expect(asked).toEqual(["a/m", "b/m"]);
  expect(log).toEqual(["open 1", "close 1", "open 2", "close 2"]);
  expect(() => router.plan("any")).toThrow('"any" cannot chat.');
});

test("the answer's cap is what is asked of the target, and a smaller wish stays", async () => {
  const { clock, ask, requests } = ab({}, {}, { maxOutputTokens: 100 });
  for (const maxTokens of [null, 500, 50]) await finish(clock, ask("any", { request: { maxTokens } }));
  expect(requests.map(({ maxTokens }) => maxTokens)).toEqual([100, 100, 50]);
});
