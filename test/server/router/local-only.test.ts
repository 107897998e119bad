/** Local only means it: the upstreams of these routes are there, healthy and willing, and hear nothing. */
import { describe, expect, test } from "vitest";
import { Failure, type FailureCode } from "../../../server/domain/failure.ts";
import { chatRequest } from "../../support/chat-request.ts";
import { groups } from "../../support/routing-facts.ts";
import { finish, world } from "../../support/routing-world.ts";

const everything = groups(["cloud/m", "engine/m"], ["peer/m", "cloud/m"]);
const options = {
  kinds: { peer: "peer" as const },
  routes: {
    closed: { groups: everything, localOnly: true },
    private: { groups: everything, dataClass: "local" as const },
    open: { groups: everything },
    // Its rule leads to an alias that would go anywhere.
    sly: { groups: groups(["engine/m"]), localOnly: true, rules: [{ when: {}, route: "open" }] },
    away: { groups: groups(["cloud/m", "peer/m"]), localOnly: true },
  },
};
const codes: readonly FailureCode[] = [
  "queue_full",
  "no_room",
  "worker_died",
  "context_length_exceeded",
  "model_unavailable",
];

describe.each([
  ["a local-only route", "closed", {}],
  ["data that must stay, by the route", "private", {}],
  ["data that must stay, by a header", "open", { headers: { data: "local" as const } }],
  ["a rule that leads out of a local-only route", "sly", {}],
])("%s", (_, alias, asking) => {
  test("asks this box alone, and nobody else when it fails", async () => {
    for (const code of codes) {
      const failure = new Failure(code, "no");
      const { clock, ask, asked } = world({ "engine/m": [[failure]], "cloud/m": [], "peer/m": [] }, options);
      const journey = ask(alias, asking);
      await finish(clock, journey);
      expect(await journey.end).toBe(failure);
      expect(asked).toEqual(["engine/m"]);
    }
  });

  test("counts at this box alone", async () => {
    const { router, counted } = world({ "engine/m": [], "cloud/m": [], "peer/m": [] }, options);
    const wishes = { role: null, task: null, tier: null, data: null, ...("headers" in asking ? asking.headers : {}) };
    expect(await router.count(router.plan(alias), chatRequest("x", { model: alias }), wishes)).toBe(12);
    const plan = router.explain(alias, { data: wishes.data ?? "any" });
    expect(plan.attempts.map(({ target }) => target)).toEqual(["engine/m"]);
    expect(counted).toEqual(["engine/m"]);
  });
});

test("a local-only route without a local target counts for nobody, and says why", async () => {
  const { router, counted } = world({ "engine/m": [], "cloud/m": [], "peer/m": [] }, options);
  const counting = router.count(router.plan("away"), chatRequest("x", { model: "away" }));
  await expect(counting).rejects.toMatchObject({ code: "unsupported", param: "model" });
  expect(counted).toEqual([]);
});

test("a local-only route without a local target answers nobody, and says why", async () => {
  const { clock, ask, asked } = world({ "engine/m": [], "cloud/m": [], "peer/m": [] }, options);
  const journey = ask("away");
  await finish(clock, journey);
  expect(await journey.end).toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("the route is local only"),
  });
  expect(asked).toEqual([]);
});
