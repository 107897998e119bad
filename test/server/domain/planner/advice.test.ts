/** Buying or renting, effects, the decision tree, the matrix, roles: as the papers have them, and at their bounds. */
import { describe, expect, test } from "vitest";
import { buyOrRent, effectRows, gpuRows } from "../../../../server/domain/planner/advice.ts";
import { hoursToPayBack, monthlySaving, paybackMonths } from "../../../../server/domain/planner/buy-or-rent.ts";
import { choose, type Situation, scored } from "../../../../server/domain/planner/choose.ts";
import { conversationTokens } from "../../../../server/domain/planner/effects.ts";
import { instances } from "../../../../server/domain/planner/instances/index.ts";
import { usualHourNanos } from "../../../../server/domain/planner/instances/instance.ts";
import { measuredSettings } from "../../../../server/domain/planner/measured.ts";
import { numberOf, ratio, times, usd } from "../../../../server/domain/planner/ratio.ts";
import { placeOf, type Role, usualRoles } from "../../../../server/domain/planner/roles.ts";
import { settle } from "../../../../server/domain/planner/settings.ts";
import { anthropicPrices } from "../../../../server/domain/pricing/book/anthropic.ts";
import { rowsOf } from "../../../../server/domain/pricing/book.ts";
import { guideRow, listedInstance } from "./some-settings.ts";

const box = {
  priceUsd: 1800,
  months: 24,
  busyWatts: 400,
  idleWatts: 50,
  busyHoursPerDay: 0,
  daysPerMonth: 30,
  kwhUsd: 0.25,
};
const rental = { hourNanos: 500_000_000, hoursPerDay: 12, daysPerMonth: 30, diskNanosPerMonth: 0 };

describe("buy or rent", () => {
  test("the box has paid for itself when what it saves each month is its price", () => {
    // 180 dollars of rent, 12 h × 400 W + 12 h × 50 W on 30 days are 162 kWh for 40.50 dollars.
    expect(monthlySaving(box, rental)).toEqual(usd(139.5));
    const months = paybackMonths(box, rental);
    expect(months).not.toBeNull();
    expect(times(months ?? ratio(0), monthlySaving(box, rental))).toEqual(usd(1800));
  });

  test("never, where its power costs as much as the rent", () => {
    expect(paybackMonths(box, { ...rental, hourNanos: 1_000_000 })).toBeNull();
    expect(hoursToPayBack(box, { ...rental, hourNanos: 1_000_000 }, 24)).toBeNull();
  });

  test("the first number of hours a day at which it pays within its months", () => {
    const hours = hoursToPayBack(box, rental, 24) ?? 0;
    const monthsAt = (hoursPerDay: number) => numberOf(paybackMonths(box, { ...rental, hoursPerDay }) ?? ratio(10_000));
    expect(monthsAt(hours)).toBeLessThanOrEqual(24);
    expect(monthsAt(hours - 1)).toBeGreaterThan(24);
  });

  test("a market is counted in the middle of its range", () => {
    const found = buyOrRent(settle({}, {}), listedInstance("vast/rtx-4090"));
    expect(found.hourNanos).toBe(425_000_000);
    expect(found.rows.map(({ hoursPerDay, rentNanos }) => [hoursPerDay, rentNanos / 1e9])).toEqual([
      [2, 25.5],
      [6, 76.5],
      [12, 153],
      [24, 306],
    ]);
  });
});

test("every machine has whole nano-dollars, a source and a name of its own", () => {
  expect(new Set(instances.map(({ id }) => id)).size).toBe(instances.length);
  for (const one of instances) {
    expect(Number.isSafeInteger(usualHourNanos(one)) && one.hourNanosLow <= one.hourNanosHigh).toBe(true);
    expect(one.source).not.toBe("");
    expect(one.card === null).toBe(one.gpus === 0);
  }
});

test("GPUs of each kind, cheapest first", () => {
  const rows = gpuRows(settle({ users: 500 }, {}), instances);
  expect(rows.map(({ monthNanos }) => monthNanos)).toEqual(
    rows.map(({ monthNanos }) => monthNanos).toSorted((a, b) => a - b),
  );
  expect(rows.find(({ instance }) => instance === "aws/g4dn.2xlarge")).toMatchObject({
    gpus: 8,
    mostUsers: 512,
    toHold: 1,
  });
});

describe("effects", () => {
  const [sonnet] = rowsOf(anthropicPrices).filter(({ id }) => id === "anthropic/claude-sonnet-5-5@2026-10-07");
  const rowsFor = (api = sonnet) => {
    if (api === undefined) throw new Error("no row");
    const rows = effectRows({
      settings: settle({}, {}),
      api,
      small: guideRow("gpt-3.5-turbo"),
      instance: listedInstance("aws/g4dn.2xlarge"),
    });
    return Object.fromEntries(rows.map((row) => [row.measure, row]));
  };

  test("each alone: 40 % of the queries, half of the price, 30 and 50 % of the machines", () => {
    const rows = rowsFor();
    expect(rows["response cache"]).toMatchObject({ savedPercent: 40 });
    expect(rows.batches).toMatchObject({ savedPercent: 50 });
    expect(rows["reserved, 1 year"]).toMatchObject({ savedPercent: 30 });
    expect(rows["reserved, 3 years"]).toMatchObject({ savedPercent: 50 });
    // Half of 30 M prompt tokens at 0.10 instead of 2 dollars a million.
    expect(rows["prompt cache"]).toMatchObject({ savedNanos: 28_500_000_000 });
  });

  test("what a price list does not say takes nothing off", () => {
    const rows = rowsFor(guideRow("gpt-4"));
    expect(rows.batches).toMatchObject({ savedNanos: 0 });
    expect(rows["prompt cache"]).toMatchObject({ savedNanos: 0 });
  });

  test("a conversation that sends everything grows with the square of its turns; a budget bounds it", () => {
    expect(conversationTokens(20, 500, null)).toBe(105_000);
    expect(conversationTokens(20, 500, 2000)).toBe(500 + 1000 + 1500 + 17 * 2000);
  });
});

describe("the decision tree", () => {
  const situation: Situation = {
    privacyIsCritical: false,
    queriesPerMonth: 20_000,
    months: 12,
    quality: "very-good",
    expertise: "some",
    budget: "limited",
  };

  test("privacy decides alone", () => {
    const found = choose({ ...situation, privacyIsCritical: true, queriesPerMonth: 10, months: 1, expertise: "none" });
    expect(found).toMatchObject({ way: "own", mandatory: true, against: 4 });
  });

  test.each([
    [9999, 12, "api"],
    [10_000, 12, "hybrid"],
    [50_000, 2, "api"],
    [50_001, 2, "own"],
    [50_000, 13, "own"],
  ] as const)("%i queries a month for %i months: %s", (queriesPerMonth, months, way) => {
    expect(choose({ ...situation, queriesPerMonth, months }).way).toBe(way);
  });
});

describe("the scoring matrix", () => {
  test("without weights all factors weigh the same: 28 against 27 of 40", () => {
    const { own, api, way } = scored({});
    expect([own, api, way]).toEqual([ratio(28, 8), ratio(27, 8), "own"]);
  });

  test("only proportions count, and a tie is a tie", () => {
    expect(scored({ quality: 60, privacy: 40 }).own).toEqual(scored({ quality: 3, privacy: 2 }).own);
    expect(scored({ privacy: 1, upfront: 1 }).way).toBeNull();
    expect(scored({ time: 1 }).way).toBe("api");
  });
});

describe("roles", () => {
  const role: Role = {
    name: "r",
    callsPerDay: 50,
    complexity: "simple",
    latency: "batch",
    errors: "some",
    privacy: "public",
  };

  test.each([
    [{}, "cloud-budget", false],
    [{ callsPerDay: 1001 }, "local", true],
    [{ callsPerDay: 1000 }, "local", false],
    [{ privacy: "personal", complexity: "complex" }, "local", true],
    [{ privacy: "internal" }, "local", false],
    [{ latency: "interactive" }, "local", true],
    [{ latency: "responsive" }, "local", false],
    [{ complexity: "medium" }, "cloud-mid", false],
    [{ complexity: "complex" }, "cloud-premium", false],
    [{ errors: "none" }, "cloud-premium", false],
  ] as const)("%j: %s", (change, place, required) => {
    expect(placeOf({ ...role, ...change })).toMatchObject({ place, required });
  });

  test("what speaks against a must is said", () => {
    expect(placeOf({ ...role, callsPerDay: 5000, complexity: "complex" }).against).toHaveLength(1);
  });

  test("the lecture's crew: analyst and writer in the cloud, the others here", () => {
    const inTheCloud = usualRoles.map(placeOf).filter(({ place }) => place !== "local");
    expect(inTheCloud.map((one) => one.role.name)).toEqual(["analyst", "writer"]);
  });
});

describe("what this box measured", () => {
  const ledger = {
    requests: 400,
    promptTokens: 4_000_000,
    cachedTokens: 1_000_000,
    completionTokens: 80_000,
    callers: 4,
    days: 10,
  };

  test("of a ledger: callers, their queries a day, the usual request", () => {
    const found = measuredSettings(ledger, null);
    expect(Object.fromEntries(Object.entries(found).map(([name, figure]) => [name, figure?.value]))).toEqual({
      users: 4,
      queriesPerUserDay: 10,
      promptTokens: 10_000,
      completionTokens: 200,
      cachedPromptPercent: 25,
    });
    expect(found.users).toMatchObject({ basis: "measured", from: expect.stringContaining("400 requests") });
  });

  test("too few requests say nothing, and neither does a card without figures", () => {
    expect(
      measuredSettings({ ...ledger, requests: 49 }, { gpuName: "x", powerLimitWatts: null, powerDrawWatts: 90 }),
    ).toEqual({});
  });

  test("of a card: its power limit and what stands around it, as an estimate", () => {
    const { busyWatts } = measuredSettings(null, { gpuName: "RTX 4090", powerLimitWatts: 450, powerDrawWatts: null });
    expect(busyWatts).toMatchObject({ value: 550, basis: "estimated" });
  });
});
