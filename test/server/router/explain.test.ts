/** What a plan is made of: rules, headers, lengths, prices; and the plan of `explain` is the plan of the request. */
import { describe, expect, test } from "vitest";
import type { Pricing } from "../../../server/domain/pricing/priced.ts";
import { strategyIds } from "../../../server/domain/routing/strategies/index.ts";
import { createRouter } from "../../../server/router/router.ts";
import { seeded } from "../../support/random.ts";
import { groups } from "../../support/routing-facts.ts";
import { finish, world } from "../../support/routing-world.ts";
import { scriptedBackend } from "../../support/scripted-backend.ts";

const three = { "a/m": [], "b/m": [], "engine/m": [] };

describe("the plan in explain is the plan that the request's row keeps", () => {
  test.each(strategyIds)("with strategy %s, turn after turn", async (strategy) => {
    const random = seeded(11);
    const members = ["a/m", "b/m", "engine/m"].map((target, index) => ({ target, weight: index + 1 }));
    const routes = {
      any: { groups: [{ targets: members, strategy }], rules: [{ when: { tools: true }, route: "other" }] },
      other: { groups: groups(["b/m"]) },
    };
    const { clock, ask, router } = world(three, { routes, random: () => random.number() });
    for (let turn = 0; turn < 12; turn += 1) {
      const before = router.explain("any", { caller: "ayo", promptTokens: 1 });
      // To look changes nothing.
      expect(router.explain("any", { caller: "ayo", promptTokens: 1 })).toEqual(before);
      const journey = ask("any");
      await finish(clock, journey);
      expect(journey.plan()).toEqual(before);
      expect(journey.log[0]).toContain(before.attempts[0]?.target);
      clock.advance(1_000);
    }
  });
});

test("requests take turns, and are drawn by weight", async () => {
  const random = seeded(5);
  const members = [
    { target: "a/m", weight: 3 },
    { target: "b/m", weight: 1 },
  ];
  const routes = {
    turns: { groups: [{ targets: members, strategy: "round-robin" as const }] },
    drawn: { groups: [{ targets: members, strategy: "weighted" as const }] },
  };
  const { clock, ask, asked } = world({ "a/m": [], "b/m": [] }, { routes, random: () => random.number() });
  for (let turn = 0; turn < 4; turn += 1) await finish(clock, ask("turns"));
  expect(asked).toEqual(["a/m", "b/m", "a/m", "b/m"]);
  asked.length = 0;
  for (let draw = 0; draw < 400; draw += 1) await finish(clock, ask("drawn"));
  // Three quarters of 400 within four standard deviations.
  expect(Math.abs(asked.filter((name) => name === "a/m").length - 300)).toBeLessThan(35);
});

describe("a request is told apart by", () => {
  const routes = {
    any: {
      groups: [
        { name: "here", targets: [{ target: "engine/m" }] },
        { name: "cloud", targets: [{ target: "a/m" }, { target: "b/m" }] },
      ],
      rules: [
        { name: "review", when: { role: ["reviewer"] }, use: ["cloud"] },
        { name: "big tier", when: { tier: ["architecture"] }, use: ["cloud", "here"] },
        { name: "by whom", when: { caller: ["bo"] }, use: ["cloud"] },
      ],
    },
  };
  test.each([
    ["its role header", { headers: { role: "reviewer" } }, "a/m"],
    ["its tier header", { headers: { tier: "architecture" } }, "a/m"],
    ["its service tier, where no header says one", { request: { serviceTier: "flex" as const } }, "engine/m"],
    ["its caller", { caller: "bo" }, "a/m"],
    ["nothing: the groups as they are written", {}, "engine/m"],
    ["its data header, which no rule overrides", { headers: { role: "reviewer", data: "local" as const } }, null],
  ])("%s", async (_, asking, target) => {
    const { clock, ask, asked } = world(three, { routes });
    const journey = ask("any", asking);
    await finish(clock, journey);
    expect(asked[0] ?? null).toBe(target);
    if (target === null) expect(await journey.end).toMatchObject({ code: "unsupported" });
  });

  test("its exact length, counted by the engine where an estimate could be wrong about the rule", async () => {
    const long = {
      any: { groups: groups(["engine/m"], ["a/m"]), rules: [{ when: { promptTokens: { over: 100 } }, use: [2] }] },
    };
    const words = (characters: number) => ({
      request: {
        messages: [{ role: "user" as const, content: [{ type: "text" as const, text: "x".repeat(characters) }] }],
      },
    });
    for (const [counted, target] of [
      [101, "a/m"],
      [100, "engine/m"],
    ] as const) {
      const { clock, ask, asked } = world(three, { routes: long, count: { "engine/m": counted } });
      const journey = ask("any", words(360));
      await finish(clock, journey);
      expect(asked).toEqual([target]);
      expect(journey.plan()?.facts).toMatchObject({ promptTokens: counted, counted: true });
    }
    const sure = world(three, { routes: long, count: { "engine/m": 1 } });
    const journey = sure.ask("any", words(4_000));
    await finish(sure.clock, journey);
    expect(sure.asked).toEqual(["a/m"]);
    expect(journey.plan()?.facts).toMatchObject({ promptTokens: 1_000, counted: false });
  });

  test("its length beside a context: a prompt that just does not fit goes where it does", async () => {
    const options = {
      routes: { any: { groups: groups(["engine/m"], ["a/m"]) } },
      models: { "engine/m": { contextLength: 100 } },
    };
    const near = {
      request: { messages: [{ role: "user" as const, content: [{ type: "text" as const, text: "x".repeat(380) }] }] },
    };
    for (const [counted, target] of [
      [100, "a/m"],
      [99, "engine/m"],
    ] as const) {
      const { clock, ask, asked } = world(three, { ...options, count: { "engine/m": counted } });
      await finish(clock, ask("any", near));
      expect(asked).toEqual([target]);
    }
  });
});

test("lowest cost asks the prices for this very request: its length, its cap, its hour", async () => {
  const asked: Parameters<Pricing["price"]>[0][] = [];
  const nanos: Readonly<Record<string, number>> = { a: 500, b: 300 };
  const pricing: Pricing = {
    price: (question) => {
      asked.push(question);
      const cost = { known: true as const, nanos: nanos[question.provider] ?? 0, basis: "estimated" as const };
      return { cost, computed: cost, reportedNanos: null, driftNanos: null, priceId: null, parts: [], flags: [] };
    },
  };
  const routes = {
    any: {
      groups: [{ targets: [{ target: "a/m" }, { target: "b/m" }], strategy: "lowest-cost" as const }],
      maxOutputTokens: 700,
    },
  };
  const { router } = world({ "a/m": [], "b/m": [] }, { routes, pricing });
  const plan = router.explain("any", { promptTokens: 4_000, maxTokens: 9_000, serviceTier: "flex", atMs: 1_000 });
  expect(plan.attempts.map(({ target, detail }) => [target, detail])).toEqual([
    ["b/m", "300 nano-USD expected"],
    ["a/m", "500 nano-USD expected"],
  ]);
  expect(asked[0]).toMatchObject({
    ...{ provider: "a", model: "m", atMs: 1_000 },
    used: { usage: { promptTokens: 4_000, completionTokens: 700 }, serviceTier: "flex" },
  });
});

test("aliases are listed with the models; what is wrong with routes stops the start, all of it at once", () => {
  const backend = scriptedBackend("engine", ["qwen"], []);
  const router = createRouter([backend], { routes: { coder: { groups: groups(["engine/qwen"]) } } });
  expect(router.models().map(({ alias }) => alias)).toEqual(["coder", "qwen"]);
  expect(router.models()[0]).toMatchObject({ capabilities: ["chat"], contextLength: 4_096, fileName: "" });
  expect(() => router.plan("codr")).toThrow('Did you mean "coder"?');
  const routes = { one: { groups: groups(["engine/qwn"]) }, two: { groups: groups(["x/y"]) } };
  const start = () => createRouter([backend], { routes });
  expect(start).toThrow(
    expect.objectContaining({ code: "cannot_start", message: "2 things in the routes cannot be used as written." }),
  );
  expect(start).toThrow(expect.objectContaining({ why: expect.stringMatching(/routes\.one: .*\nroutes\.two: /) }));
});
