/** What a demand costs each way: the guide's example, and what must hold for any demand. */
import { describe, expect, test } from "vitest";
import { bothAt, breakEven } from "../../../../server/domain/planner/break-even.ts";
import { gpusFor, usersFor } from "../../../../server/domain/planner/capacity.ts";
import {
  capacityOf,
  demandOf,
  fixedOf,
  hostingOf,
  settingsFor,
} from "../../../../server/domain/planner/from-settings.ts";
import { type PlannedOption, planOf } from "../../../../server/domain/planner/plan.ts";
import { compare, nanosOf, times, ratio } from "../../../../server/domain/planner/ratio.ts";
import { refusalOf, type SettingName, settle } from "../../../../server/domain/planner/settings.ts";
import { ratesFor, tokenCost } from "../../../../server/domain/planner/token-cost.ts";
import { seeded } from "../../../support/random.ts";
import { guideRow, listedInstance, someQuestion } from "./some-settings.ts";

/** Nano-USD of dollars: a float of dollars times a billion may be a hair off. */
const usd = (dollars: number) => Math.round(dollars * 1_000_000_000);

function optionOf(given: Partial<Record<SettingName, number>>, kind: PlannedOption["kind"]): PlannedOption {
  const found = planOf(someQuestion(given)).options.find((one) => one.kind === kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found;
}

/** Demands of all sizes, the same in every run. */
function someDemands(count: number): Partial<Record<SettingName, number>>[] {
  const random = seeded(7);
  const whole = (most: number) => random.below(most);
  return Array.from({ length: count }, () => ({
    users: 1 + whole(5000),
    queriesPerUserDay: whole(4000) / 100,
    promptTokens: whole(20_000),
    completionTokens: whole(3000),
    cachedPromptPercent: whole(10_001) / 100,
    answersFromCachePercent: whole(10_001) / 100,
  }));
}

describe("the guide's example", () => {
  test("37 users pay 732.6 dollars for GPT-4 tokens, 500 more with what stands beside them", () => {
    const api = optionOf({ users: 37, queriesPerUserDay: 20, promptTokens: 500, completionTokens: 300 }, "api");
    expect(api).toMatchObject({ tokensNanos: usd(732.6), monthNanos: usd(1232.6), yearNanos: usd(14_791.2) });
  });

  test.each([
    [100, 1980, 2480],
    [10, 198, 698],
    [10_000, 198_000, 198_500],
  ])("%i users: %f dollars of tokens, %f in all", (users, tokens, all) => {
    expect(optionOf({ users }, "api")).toMatchObject({ tokensNanos: usd(tokens), monthNanos: usd(all) });
  });

  test("GPUs: whole ones, 730 hours each, people's time for each", () => {
    const own = optionOf({ users: 37 }, "self_hosted");
    expect(own).toMatchObject({ gpus: 1, machinesNanos: usd(548.96), operationsNanos: usd(700) });
    expect(optionOf({ users: 500 }, "self_hosted")).toMatchObject({ gpus: 8, monthNanos: usd(6491.68) });
  });

  test("hybrid: GPUs for its share, tokens for the rest", () => {
    const hybrid = optionOf({ users: 500, localPercent: 80 }, "hybrid");
    expect(hybrid).toMatchObject({ gpus: 7, tokensNanos: usd(1980) });
    expect(hybrid.monthNanos).toBe(hybrid.tokensNanos + hybrid.machinesNanos + hybrid.operationsNanos);
    expect(optionOf({ users: 500, localPercent: 100 }, "hybrid")).toMatchObject({ tokensNanos: 0, gpus: 8 });
  });

  test("a list without a price of batches or cached tokens takes nothing off, and says so", () => {
    const api = optionOf({ users: 37, batchPercent: 50, cachedPromptPercent: 20 }, "api");
    expect(api.tokensNanos).toBe(usd(732.6));
    expect(api.from).toContain("no price of cached tokens and of batches: nothing taken off");
  });

  test("a point of quality a year, where somebody scored the model", () => {
    expect(optionOf({}, "api")).toMatchObject({ quality: 95, yearPerPointNanos: Math.round(usd(29_760) / 95) });
    expect(optionOf({}, "hybrid")).toMatchObject({ quality: null, yearPerPointNanos: null });
  });
});

describe("for any demand", () => {
  test("twice the users are exactly twice the tokens' cost", () => {
    for (const given of someDemands(200)) {
      const once = demandOf(settle(given, {}));
      const rates = ratesFor(guideRow("gpt-4"), once.promptTokens);
      const twice = tokenCost({ ...once, users: once.users * 2 }, rates);
      expect(twice).toEqual(times(tokenCost(once, rates), ratio(2)));
    }
  });

  test("every option is the sum of its parts, to the nano-dollar of each rounding", () => {
    for (const given of someDemands(20)) {
      for (const one of planOf(someQuestion(given)).options) {
        const sum = one.tokensNanos + one.machinesNanos + one.operationsNanos + one.surroundingsNanos;
        expect(Math.abs(sum - one.monthNanos)).toBeLessThanOrEqual(2);
      }
    }
  });

  test("so many GPUs serve so many users, and one more user needs one more", () => {
    const { settings, instance } = someQuestion();
    const capacity = capacityOf(settings, instance);
    const demand = demandOf(settings);
    for (const gpus of [1, 2, 3, 8, 100]) {
      const most = usersFor(gpus, demand, capacity) ?? 0;
      expect(gpusFor({ ...demand, users: most }, capacity)).toBe(gpus);
      expect(gpusFor({ ...demand, users: most + 1 }, capacity)).toBe(gpus + 1);
    }
  });
});

describe("break-even", () => {
  function question(given: Partial<Record<SettingName, number>> = {}) {
    const { settings, apis, instance } = someQuestion(given);
    const [row] = apis;
    if (row === undefined) throw new Error("no row");
    const demand = demandOf(settings);
    const rates = ratesFor(row, demand.promptTokens);
    return { demand, rates, fixed: fixedOf(settings), hosting: hostingOf(settings, instance), upTo: 20_000 };
  }

  test("is where both lines meet: self-hosting is dearer one user before, and not dearer from there on", () => {
    const asked = question();
    const { crossings, alwaysFrom } = breakEven(asked);
    expect(crossings.map(({ users, gpus }) => [users, gpus])).toEqual([
      [38, 1],
      [76, 2],
    ]);
    for (const { users, cost } of crossings) {
      const before = bothAt(users - 1, asked);
      const there = bothAt(users, asked);
      expect(compare(before.api, before.selfHosted)).toBeLessThan(0);
      expect(compare(there.api, there.selfHosted)).toBeGreaterThanOrEqual(0);
      expect(there.selfHosted).toEqual(cost);
    }
    expect(alwaysFrom).toBe(76);
    for (let users = 76; users <= 2000; users += 1) {
      const { api, selfHosted } = bothAt(users, asked);
      expect(compare(api, selfHosted)).toBeGreaterThanOrEqual(0);
    }
  });

  test("both cost the same at the fraction of users in between", () => {
    const { crossings } = breakEven(question());
    const [first] = crossings;
    // 500 + 19.80 u = 1,248.96
    expect(first?.at).toEqual(ratio(74_896, 1980));
    expect(nanosOf(first?.cost ?? ratio(0))).toBe(usd(1248.96));
  });

  test("there is none where an API is cheaper than a GPU's people, and none to find where nobody asks", () => {
    const cheap = { ...question(), rates: ratesFor(guideRow("gpt-3.5-turbo"), 500) };
    expect(breakEven(cheap)).toEqual({ crossings: [], alwaysFrom: null, lookedUpTo: 20_000 });
    expect(breakEven(question({ queriesPerUserDay: 0 }))).toMatchObject({ crossings: [], alwaysFrom: null });
  });
});

describe("settings", () => {
  test("what is given wins over what was measured, and that over what is assumed", () => {
    const measured = {
      users: { value: 5, basis: "measured", from: "ledger" },
      promptTokens: { value: 9000, basis: "measured", from: "ledger" },
    } as const;
    const settings = settle({ users: 7 }, measured);
    expect(settings.users).toEqual({ value: 7, basis: "given", from: "--users" });
    expect(settings.promptTokens).toEqual(measured.promptTokens);
    expect(settings.completionTokens).toMatchObject({ value: 300, basis: "assumed" });
    expect(settings.prefillPerSecond).toBeNull();
  });

  test("have bounds, and no more decimals than are counted with", () => {
    expect(refusalOf("users", 37)).toBeNull();
    expect(refusalOf("users", 1.5)).toBe("A whole number from 1 to 10000000.");
    expect(refusalOf("cachedPromptPercent", 100.5)).toBe("A number with at most 2 decimals from 0 to 100.");
    expect(refusalOf("kwhUsd", Number.NaN)).not.toBeNull();
  });

  test("an assumed speed is carried over to another card and model, a given one is not", () => {
    const a40 = listedInstance("runpod/a40");
    expect(settingsFor(settle({}, {}), a40).decodePerSecond).toMatchObject({ value: 87, basis: "estimated" });
    const large = settle({ parametersBillions: 70, bitsPerParameter: 4 }, {});
    expect(settingsFor(large, a40).decodePerSecond).toMatchObject({ value: 34.8 });
    expect(settingsFor(settle({ decodePerSecond: 50 }, {}), a40).decodePerSecond).toMatchObject({
      value: 50,
      basis: "given",
    });
  });

  test("a model that one GPU does not hold takes them by groups", () => {
    const t4 = listedInstance("aws/g4dn.xlarge");
    const large = settle({ parametersBillions: 32, bitsPerParameter: 4.85, users: 1 }, {});
    expect(capacityOf(large, t4).group).toBe(2);
    expect(hostingOf(large, t4).capacity.group).toBe(2);
    expect(gpusFor(demandOf(large), capacityOf(large, t4))).toBe(2);
  });

  test("a machine of eight GPUs is counted by the eighth, and a plan beyond nine million dollars is refused", () => {
    const { settings } = someQuestion();
    expect(hostingOf(settings, listedInstance("aws/p4d.24xlarge")).hourNanos).toBe(usd(2.75));
    expect(() => planOf(someQuestion({ users: 10_000_000 }))).toThrow(/nine million/u);
  });
});
