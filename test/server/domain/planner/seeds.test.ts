/** The papers' figures beside ours: those that are known to disagree, those that agree, and what the comparison itself does. */
import { describe, expect, test } from "vitest";
import { ratio, usd } from "../../../../server/domain/planner/ratio.ts";
import { allShown, countsOf, seedFigures } from "../../../../server/domain/planner/seeds/index.ts";
import { ends, figuresOf, is, orLess, orMore, range } from "../../../../server/domain/planner/seeds/said.ts";
import { compared, papers } from "../../../../server/domain/planner/seeds/seed-figure.ts";

const figures = allShown();

function figureOf(id: string) {
  const found = figures.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
}

test("every figure has a name of its own, a paper, a line, and a word on how", () => {
  expect(new Set(seedFigures.map(({ id }) => id)).size).toBe(seedFigures.length);
  for (const { paper, line, section, how, id } of seedFigures) {
    expect(
      papers.some((one) => one.id === paper),
      id,
    ).toBe(true);
    expect(line > 0 && section !== "" && how !== "", id).toBe(true);
  }
});

test("every paper is there, and the counts are of all figures", () => {
  expect(new Set(figures.map(({ paper }) => paper))).toEqual(new Set(papers.map(({ id }) => id)));
  const { agrees, near, differs, no_inputs } = countsOf(figures);
  expect(agrees + near + differs + no_inputs).toBe(figures.length);
  expect(figures.length).toBeGreaterThan(250);
});

test.each([
  ["guide-345-gpt-4-10-users", "$248", "$698"],
  ["guide-350-gpt-3-5-10000-users", "$54,200", "$4,700"],
  ["guide-373-cheaper-at-500-users", "46 %", "31.45 %"],
  ["guide-378-cheaper-at-1-000-users", "60 %", "37.5 %"],
  ["strategy-101-break-even-over-the-workload", "6 ×", "2.06 ×"],
  ["strategy-98-together-ai-llama-70b", "$590", "$61.56 to $300.96"],
  ["guide-647-gpt-4-for-those", "$600", "$9,900"],
  ["guide-654-saved-against-line-638", "64 %", "-228 %"],
  ["lecture-547-network-of-three-cloud-calls", "600 ms or more", "150 ms to 450 ms"],
  ["providers-854-gpt-4o-10-m-tokens", "$300 to $600", "$62.50"],
])("%s: the paper has %s, its own inputs make %s", (id, said, ours) => {
  expect(figureOf(id)).toMatchObject({ said: { text: said }, ours: { text: ours }, verdict: "differs", agrees: false });
});

test.each([
  ["guide-286-gpt-4-a-month", "$2,480"],
  ["guide-162-n1-standard-4-t4-a-month", "$475"],
  ["guide-245-a-month-with-reserved-instances", "$1,890"],
  ["guide-413-gpt-4-a-point-a-year", "$316"],
  ["strategy-92-claude-sonnet-4-5", "$3,090"],
  ["lecture-444-a-month-three-roles-local", "$27,000"],
  ["orchestration-125-always-on-a-month", "$180"],
  ["providers-528-fintech-case-saved", "83 %"],
])("%s agrees: %s", (id, said) => {
  expect(figureOf(id)).toMatchObject({ said: { text: said }, verdict: "agrees", agrees: true });
});

test("where a paper gives nothing to compute from, ours is null and nothing is claimed", () => {
  const unknown = figures.filter(({ verdict }) => verdict === "no_inputs");
  expect(unknown.length).toBeGreaterThan(0);
  for (const one of unknown) expect([one.ours, one.agrees]).toEqual([null, null]);
});

describe("the comparison", () => {
  const make = figuresOf("guide", "s");
  const verdict = (said: ReturnType<typeof is>, ours: Parameters<typeof make>[4]) =>
    compared(make(1, "w", "count", said, ours, "h")).verdict;

  test("takes a figure at the precision it is printed with", () => {
    expect(verdict(is(384), () => ratio(383.98))).toBe("agrees");
    expect(verdict(is(384, 0), () => ratio(383.98))).toBe("near");
    expect(verdict(is(100), () => ratio(105))).toBe("near");
    expect(verdict(is(100), () => ratio(105.1))).toBe("differs");
  });

  test("one value agrees with a range it lies in, two ranges by their ends", () => {
    expect(verdict(range(50, 100), () => ratio(76))).toBe("agrees");
    expect(verdict(range(50, 100), () => ratio(120))).toBe("differs");
    expect(verdict(is(108), () => ends(ratio(61), ratio(301)))).toBe("agrees");
    expect(verdict(range(50, 100), () => ends(ratio(50), ratio(60)))).toBe("differs");
  });

  test("bounds are open on one side", () => {
    expect(verdict(orMore(80), () => ratio(89))).toBe("agrees");
    expect(verdict(orMore(80), () => ratio(70))).toBe("differs");
    expect(verdict(orLess(24), () => ratio(17))).toBe("agrees");
    expect(verdict(orLess(24), null)).toBe("no_inputs");
  });

  test("money is compared in nano-dollars", () => {
    expect(compared(make(1, "w", "usd", is(248), () => usd(698), "h"))).toMatchObject({
      verdict: "differs",
      said: { low: usd(248) },
    });
  });
});
