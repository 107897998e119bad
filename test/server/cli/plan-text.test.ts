/** A plan as people read it: who is tried, who is not, and who is asked beside it. */
import { expect, test } from "vitest";
import { planText } from "../../../server/cli/route/plan-text.ts";
import { groups } from "../../support/routing-facts.ts";
import { world } from "../../support/routing-world.ts";

const scripts = { "engine/small": [], "a/big": [], "b/judge": [], "c/copy": [] };
const routes = {
  ask: {
    mode: "cascade" as const,
    groups: groups(["engine/small"], ["a/big"]),
    cascade: { judge: "b/judge" },
    brief: { over: 1_000, by: "engine/small" },
    shadow: { target: "c/copy", share: 0.1, perDayUsd: 1 },
  },
  plain: { groups: groups(["a/big"]) },
};

test("drafts stand among the attempts, and judges, condensers and copies below them", () => {
  const { router } = world(scripts, { routes });
  const text = planText(router.explain("ask"));
  expect(text).toContain("Mode");
  expect(text).toMatch(
    /1 {2}engine\/small +1 +drafts the answer.*\n +2 {2}a\/big +2 +answers where the draft is not given/u,
  );
  const [, beside = ""] = text.split("\n\nAsked beside it:\n");
  expect(beside.split("\n").map((line) => line.replace(/ {2,}/gu, " | "))).toEqual([
    "FOR | TARGET | WHY",
    "condense | engine/small | condenses a long conversation for the one who answers",
    "judge | b/judge | says whether an answer is good enough",
    "shadow | c/copy | gets a copy of an answered request, for comparison",
  ]);
});

test("who may not be asked beside it is told with the reason; a plain route says nothing of that", () => {
  const { router } = world(scripts, { routes });
  const text = planText(router.explain("ask", { data: "local" }));
  expect(text).toMatch(/no judge +b\/judge +the data must not go there/u);
  expect(planText(router.explain("plain"))).not.toContain("beside");
});
