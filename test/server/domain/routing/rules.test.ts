import { describe, expect, test } from "vitest";
import { choose } from "../../../../server/domain/routing/choose.ts";
import { readWishes, type RequestFacts, requestFacts } from "../../../../server/domain/routing/request-facts.ts";
import { type Conditions, holds, wantsCount } from "../../../../server/domain/routing/rules.ts";
import { groups, routesOf } from "../../../support/routing-facts.ts";

const at = (iso: string) => Date.parse(iso);
const facts = (known: Partial<RequestFacts>) => requestFacts({ atMs: at("2026-11-26T12:00:00Z"), ...known });

describe("a condition holds", () => {
  test.each<[Conditions, Partial<RequestFacts>, boolean]>([
    [{}, {}, true],
    [{ promptTokens: { over: 100 } }, { promptTokens: 101 }, true],
    [{ promptTokens: { over: 100 } }, { promptTokens: 100 }, false],
    [{ promptTokens: { upTo: 100 } }, { promptTokens: 100 }, true],
    [{ contextNeed: { over: 1_000 } }, { promptTokens: 600, maxTokens: 500 }, true],
    [{ contextNeed: { over: 1_000 } }, { promptTokens: 600 }, false],
    [{ tools: true }, { needs: ["tools"] }, true],
    [{ tools: false }, { needs: ["tools"] }, false],
    [{ images: true }, { needs: ["tools"] }, false],
    [{ jsonSchema: true }, { needs: ["json-schema"] }, true],
    [{ caller: ["Ann", "bo"] }, { caller: "ann" }, true],
    [{ caller: ["bo"] }, { caller: "ann" }, false],
    [{ role: ["reviewer"] }, { role: "reviewer" }, true],
    [{ role: ["reviewer"] }, {}, false],
    [{ task: ["plan"], tier: ["routine"] }, { task: "plan", tier: "routine" }, true],
    [{ task: ["plan"], tier: ["routine"] }, { task: "plan", tier: "tasks" }, false],
    [{ data: ["local"] }, { data: "local" }, true],
    [{ budgetLeftBelow: 0.2 }, { budgetLeft: 0.1 }, true],
    [{ budgetLeftBelow: 0.2 }, { budgetLeft: 0.2 }, false],
    [{ budgetLeftBelow: 0.2 }, { budgetLeft: null }, false],
  ])("%j of %j: %s", (when, known, expected) => {
    expect(holds(when, facts(known))).toBe(expected);
  });

  const night = (days: readonly ("fri" | "sat")[] = []): Conditions => ({
    time: { from: 22 * 60, to: 6 * 60, days, zone: "Europe/Berlin" },
  });
  test.each([
    // Friday 22:00 in Berlin is 21:00 UTC in winter, 20:00 in summer.
    ["2026-11-27T20:59:00Z", night(), false],
    ["2026-11-27T21:00:00Z", night(), true],
    ["2026-07-03T20:00:00Z", night(), true],
    ["2026-11-28T04:59:00Z", night(), true],
    ["2026-11-28T05:00:00Z", night(), false],
    // The span of Friday night reaches into Saturday, and is Friday's.
    ["2026-11-28T02:00:00Z", night(["fri"]), true],
    ["2026-11-28T02:00:00Z", night(["sat"]), false],
    ["2026-11-28T22:00:00Z", night(["sat"]), true],
  ] as const)("%s in %j: %s", (iso, when, expected) => {
    expect(holds(when, facts({ atMs: at(iso) }))).toBe(expected);
  });
});

test("a length is counted only where an estimate could be wrong about a rule", () => {
  const when: Conditions = { promptTokens: { over: 1_000 } };
  expect(wantsCount(when, facts({ promptTokens: 900 }))).toBe(true);
  expect(wantsCount(when, facts({ promptTokens: 900, counted: true }))).toBe(false);
  expect(wantsCount(when, facts({ promptTokens: 100 }))).toBe(false);
  expect(wantsCount(when, facts({ promptTokens: 5_000 }))).toBe(false);
  expect(wantsCount({ tools: true }, facts({ promptTokens: 900 }))).toBe(false);
});

describe("rules choose", () => {
  const routes = routesOf({
    coder: {
      groups: [
        { name: "here", targets: [{ target: "engine/m" }] },
        { name: "cloud", targets: [{ target: "a/m" }] },
      ],
      localOnly: false,
      rules: [
        { name: "secret", when: { data: ["local"] }, use: ["here"] },
        { name: "long", when: { promptTokens: { over: 1_000 } }, use: ["cloud", 1] },
        { when: { role: ["reviewer"] }, route: "careful" },
      ],
    },
    careful: { groups: groups(["b/m"]), maxOutputTokens: 900 },
    closed: {
      groups: groups(["engine/m"]),
      localOnly: true,
      regions: ["eu"],
      maxOutputTokens: 500,
      rules: [{ when: {}, route: "careful" }],
    },
  });
  const chosen = (alias: string, known: Partial<RequestFacts>) =>
    choose(alias, (name) => routes.get(name), facts(known));

  test("the first that holds; without one all groups in their order", () => {
    expect(chosen("coder", {})).toMatchObject({ groups: [0, 1], via: [] });
    expect(chosen("coder", { data: "local", promptTokens: 2_000 })).toMatchObject({
      groups: [0],
      via: [{ alias: "coder", rule: "secret" }],
    });
    expect(chosen("coder", { promptTokens: 2_000 })).toMatchObject({ groups: [1, 0] });
    expect(chosen("nobody", {})).toBeNull();
  });

  test("another alias, which is named in the record", () => {
    const choice = chosen("coder", { role: "reviewer" });
    expect(choice).toMatchObject({
      route: { alias: "careful" },
      groups: [0],
      via: [{ alias: "coder", rule: "rule 3" }],
    });
  });

  test("a rule never leads out of what the asked alias forbids", () => {
    expect(chosen("closed", {})?.route).toMatchObject({
      alias: "careful",
      localOnly: true,
      regions: ["eu"],
      limits: { maxOutputTokens: 500 },
    });
  });
});

test("a data class that nobody knows is refused: a guess would send data where it must not go", () => {
  const headers: Record<string, string> = { "x-lanthorn-role": " Reviewer ", "x-lanthorn-data": "local" };
  expect(readWishes((name) => headers[name])).toEqual({ role: "reviewer", task: null, tier: null, data: "local" });
  expect(() => readWishes((name) => ({ "x-lanthorn-data": "lokal" })[name])).toThrow(
    "x-lanthorn-data must be one of local, no-retention, any.",
  );
});
