import { describe, expect, test } from "vitest";
import { choose } from "../../../../server/domain/routing/choose.ts";
import { makePlan, planRecord } from "../../../../server/domain/routing/plan.ts";
import { exclusionWords, reasonWords } from "../../../../server/domain/routing/reasons.ts";
import { nobodyLeft } from "../../../../server/domain/routing/refusal.ts";
import { type RequestFacts, requestFacts } from "../../../../server/domain/routing/request-facts.ts";
import type { RouteSetting } from "../../../../server/domain/routing/settings.ts";
import { type Candidate, targetName } from "../../../../server/domain/routing/target.ts";
import { candidate, groups, routeOf } from "../../../support/routing-facts.ts";

/** `known`: what is special about some targets, by name. */
function plan(
  setting: RouteSetting,
  known: Readonly<Record<string, Partial<Candidate>>> = {},
  asked: Partial<RequestFacts> = {},
) {
  const route = routeOf(setting);
  const facts = requestFacts({ atMs: 0, ...asked });
  const choice = choose("coder", () => route, facts);
  if (choice === null) throw new Error("no choice");
  const candidates = route.groups.map(({ targets }) =>
    targets.map(({ target, region, data, weight }) => {
      const name = targetName(target);
      return candidate(name, { weight, region, ...(data === null ? {} : { data }), ...known[name] });
    }),
  );
  return makePlan("coder", choice, candidates, facts, { random: 0.5, turn: 0 });
}

const tried = (made: ReturnType<typeof plan>) => planRecord(made).attempts.map(({ target }) => target);
const leftOut = (made: ReturnType<typeof plan>) =>
  Object.fromEntries(planRecord(made).excluded.map(({ target, reason }) => [target, reason]));

describe("a plan leaves out, with a reason", () => {
  const three: RouteSetting = { groups: groups(["engine/m", "a/m", "b/m"]) };

  test.each<[string, RouteSetting, Readonly<Record<string, Partial<Candidate>>>, Partial<RequestFacts>]>([
    ["not_served", three, { "a/m": { served: false } }, {}],
    ["wrong_capability", three, { "a/m": { capabilities: ["embeddings"] } }, {}],
    ["no_tools", three, { "a/m": { features: ["images"] } }, { needs: ["tools"] }],
    ["no_images", three, { "a/m": { features: ["tools"] } }, { needs: ["tools", "images"] }],
    ["no_json_schema", three, { "a/m": { features: [] } }, { needs: ["json-schema"] }],
    ["context_too_short", three, { "a/m": { contextLength: 8_192, promptTokens: 8_192 } }, {}],
    ["context_too_short", three, { "a/m": { contextLength: 1_000 } }, { promptTokens: 2_001 }],
    ["not_able", three, { "a/m": { health: { able: false, reason: "gone" } } }, {}],
    ["cooling_down", three, { "a/m": { cooldown: { state: "open", leftMs: 3_000, reason: "upstream_failed" } } }, {}],
    ["data_leaves", { ...three, dataClass: "no-retention" }, { "b/m": { data: "no-retention" } }, {}],
    ["data_leaves", three, { "b/m": { data: "no-retention" } }, { data: "no-retention" }],
    ["other_region", { ...three, regions: ["eu"] }, { "a/m": { region: "us" }, "b/m": { region: "eu" } }, {}],
  ])("%s", (reason, setting, known, asked) => {
    const made = plan(setting, known, asked);
    expect(leftOut(made)).toEqual({ "a/m": reason });
    expect(tried(made)).toEqual(["engine/m", "b/m"]);
  });

  test("an estimate that might be wrong leaves nobody out", () => {
    expect(tried(plan(three, { "a/m": { contextLength: 1_000 } }, { promptTokens: 1_999 }))).toHaveLength(3);
  });

  test("local only and data that stays here: this box and nobody else, whoever asked for it", () => {
    for (const [setting, asked] of [
      [{ ...three, localOnly: true }, {}],
      [{ ...three, dataClass: "local" as const }, { data: "any" as const }],
      [three, { data: "local" as const }],
    ] as const) {
      expect(tried(plan(setting, {}, asked))).toEqual(["engine/m"]);
    }
    const peer: RouteSetting = { groups: groups(["peer/m"]), localOnly: true };
    expect(leftOut(plan(peer, { "peer/m": { data: "local" } }))).toEqual({ "peer/m": "not_local" });
  });

  test("groups that a rule does not use", () => {
    const setting: RouteSetting = {
      groups: groups(["engine/m"], ["a/m"]),
      rules: [{ when: { tools: true }, use: [2] }],
    };
    const made = plan(setting, {}, { needs: ["tools"] });
    expect(tried(made)).toEqual(["a/m"]);
    expect(planRecord(made)).toMatchObject({
      via: [{ alias: "coder", rule: "rule 1" }],
      excluded: [{ target: "engine/m", reason: "not_by_rule", detail: "rule 1" }],
    });
  });
});

describe("a plan orders", () => {
  test("groups before strategies; one place alone is the only one; the first after a failure is a probe", () => {
    const setting: RouteSetting = {
      groups: [
        { targets: [{ target: "a/m" }, { target: "b/m" }], strategy: "least-busy" },
        { targets: [{ target: "c/m" }] },
      ],
    };
    const busy = plan(setting, {
      "a/m": { inFlight: 3 },
      "c/m": { cooldown: { state: "half-open", leftMs: 0, reason: "upstream_failed" } },
    });
    expect(planRecord(busy).attempts).toEqual([
      { target: "b/m", group: "1", reason: "least_busy", detail: "0 in flight" },
      { target: "a/m", group: "1", reason: "least_busy", detail: "3 in flight" },
      { target: "c/m", group: "2", reason: "probe", detail: "" },
    ]);
    expect(planRecord(plan({ groups: groups(["a/m"]) })).attempts).toMatchObject([{ reason: "only_target" }]);
  });

  test("the answer is bounded by the smaller of the client's wish and the route's cap", () => {
    const capped = { groups: groups(["a/m"]), maxOutputTokens: 100 };
    expect(plan(capped, {}, { maxTokens: 500 }).maxTokens).toBe(100);
    expect(plan(capped, {}, { maxTokens: 50 }).maxTokens).toBe(50);
    expect(plan(capped).maxTokens).toBe(100);
    expect(plan({ groups: groups(["a/m"]) }, {}, { maxTokens: 500 }).maxTokens).toBe(500);
  });
});

describe("nobody is left", () => {
  const setting: RouteSetting = { groups: groups(["a/m", "b/m"]) };

  test("because all cool down: no_target, with the time until the first may be asked again", () => {
    const cooling = (leftMs: number) => ({ cooldown: { state: "open" as const, leftMs, reason: "upstream_failed" } });
    const made = plan(setting, { "a/m": cooling(30_000), "b/m": cooling(7_100) });
    expect(tried(made)).toEqual([]);
    expect(nobodyLeft(made)).toMatchObject({ code: "no_target", retryAfterSeconds: 8 });
    expect(nobodyLeft(made).message).toContain("b/m: failed and is left alone for a while (upstream_failed, 8 s left)");
  });

  test("because its key rests and so does it: told with the reason and the time, not asked for its own words", () => {
    const resting = {
      health: { able: false, reason: "The key rests for 30 s." },
      cooldown: { state: "open" as const, leftMs: 30_000, reason: "upstream_quota" },
    };
    const made = plan({ groups: groups(["a/m"]) }, { "a/m": resting });
    expect(tried(made)).toEqual([]);
    expect(nobodyLeft(made)).toMatchObject({ code: "no_target", retryAfterSeconds: 30 });
    expect(nobodyLeft(made).message).toContain("upstream_quota, 30 s left");
  });

  test("because of what the client asked: its own error, which a retry does not mend", () => {
    const made = plan(setting, {}, { data: "local" });
    expect(nobodyLeft(made)).toMatchObject({ code: "unsupported" });
    expect(
      nobodyLeft(plan(setting, { "a/m": { capabilities: ["rerank"] }, "b/m": { capabilities: ["rerank"] } })),
    ).toMatchObject({
      code: "invalid_request",
    });
  });

  test("but a place that knows better than our guess is asked, and answers in its own words", () => {
    const short = { contextLength: 100 };
    expect(tried(plan(setting, { "a/m": short, "b/m": short }, { promptTokens: 1_000 }))).toEqual(["a/m", "b/m"]);
    const ill = { health: { able: false, reason: "crashed" } };
    expect(tried(plan({ groups: groups(["engine/m"]) }, { "engine/m": ill }))).toEqual(["engine/m"]);
    expect(tried(plan({ groups: groups(["a/m"]), localOnly: true }, { "a/m": ill }))).toEqual([]);
  });
});

test("a record is plain JSON, and every code in it has words", () => {
  const record = planRecord(plan({ groups: groups(["engine/m", "a/m"]), localOnly: true }));
  expect(JSON.parse(JSON.stringify(record))).toEqual(record);
  for (const { reason } of record.attempts) expect(reasonWords[reason]).toBeTypeOf("string");
  for (const { reason } of record.excluded) expect(exclusionWords[reason]).toBeTypeOf("string");
});
