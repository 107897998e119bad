import { expect, test } from "vitest";
import { isTrialName, trialName, trialRoutes } from "../../../../server/domain/routing/trial.ts";
import { groups, routesOf } from "../../../support/routing-facts.ts";

test("routes on trial lead to each other, copy nothing, and are otherwise the same", () => {
  const routes = routesOf({
    ask: {
      groups: groups(["a/m"]),
      rules: [{ when: { tools: true }, route: "other" }],
      shadow: { target: "b/m", share: 1, perDayUsd: 1 },
    },
    other: { groups: groups(["b/m"], ["c/m"]), rules: [{ when: {}, use: [2] }] },
  });
  const tried = trialRoutes(routes, "trial_1");
  expect([...tried.keys()]).toEqual(["ask trial_1", "other trial_1"]);
  const ask = tried.get(trialName("ask", "trial_1"));
  expect(ask?.rules[0]?.leadsTo).toEqual({ route: "other trial_1" });
  expect(ask?.modes).toMatchObject({ shadow: null, asides: {} });
  expect(tried.get("other trial_1")).toEqual({ ...routes.get("other"), alias: "other trial_1" });
  expect([isTrialName("ask"), isTrialName("ask trial_1")]).toEqual([false, true]);
});
