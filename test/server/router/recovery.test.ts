/** S-25: who failed is left alone, everybody can see it, and one request tries whether it is back. */
import { describe, expect, test } from "vitest";
import { Failure } from "../../../server/domain/failure.ts";
import { groups } from "../../support/routing-facts.ts";
import { finish, type Scripts, settle, text, world } from "../../support/routing-world.ts";
import { finished } from "../../support/scripted-backend.ts";

const broken = new Failure("upstream_failed", "broken");
const busy = (coolDownMs: number) => new Failure("upstream_overloaded", "busy", { coolDownMs });
const ab = (scripts: Scripts) =>
  world({ "a/m": [], "b/m": [], ...scripts }, { routes: { any: { groups: groups(["a/m"], ["b/m"]), retries: 0 } } });

describe("S-25 cooldown and recovery", () => {
  test("three failures in a row, and A is asked no more until its time is over; then it is back", async () => {
    const { clock, ask, asked, router } = ab({ "a/m": [[broken], [broken], [broken]] });
    for (let index = 0; index < 5; index += 1) await finish(clock, ask("any"));
    expect(asked).toEqual(["a/m", "b/m", "a/m", "b/m", "a/m", "b/m", "b/m", "b/m"]);
    const [a, b] = router.state();
    expect(a).toMatchObject({ target: "a/m", cooldown: { state: "open", failures: 3, reason: "upstream_failed" } });
    expect(a?.cooldown.until).toBe(clock.now() + 5_000);
    expect(b).toMatchObject({
      target: "b/m",
      cooldown: { state: "closed" },
      health: { depth: "answers" },
      inFlight: 0,
    });
    expect(router.explain("any")).toMatchObject({
      attempts: [{ target: "b/m" }],
      excluded: [{ target: "a/m", reason: "cooling_down", detail: "upstream_failed, 5 s left" }],
    });

    clock.advance(5_000);
    expect(router.state()[0]?.cooldown.state).toBe("half-open");
    const probe = ask("any");
    await finish(clock, probe);
    expect(probe.log).toEqual(["1 a/m probe", "1 finished"]);
    expect(router.state()[0]).toMatchObject({
      cooldown: { state: "closed", failures: 0 },
      health: { depth: "answers" },
    });
    const after = ask("any");
    await finish(clock, after);
    expect(after.log).toEqual(["1 a/m in_order", "1 finished"]);
  });

  test("only one request probes at a time", async () => {
    const { clock, ask } = ab({ "a/m": [[busy(8_000)], [2_000, text, finished]] });
    await finish(clock, ask("any"));
    clock.advance(8_000);
    const probe = ask("any");
    await settle();
    const others = [ask("any"), ask("any")];
    for (const other of others) await finish(clock, other, 100);
    await finish(clock, probe);
    expect(probe.log[0]).toBe("1 a/m probe");
    for (const other of others) expect(other.log[0]).toBe("1 b/m in_order");
  });

  test("once a probe has begun to answer others may go there too, however long it goes on", async () => {
    const { clock, ask, router } = ab({ "a/m": [[busy(8_000)], [1_000, text, 60_000, finished]] });
    await finish(clock, ask("any"));
    clock.advance(8_000);
    const probe = ask("any");
    await settle();
    const before = ask("any");
    await finish(clock, before, 100);
    expect(before.log[0]).toBe("1 b/m in_order");
    clock.advance(1_000);
    await settle();
    expect(router.state()[0]).toMatchObject({ cooldown: { state: "closed" }, inFlight: 1 });
    const after = ask("any");
    await finish(clock, after, 100);
    expect(after.log[0]).toBe("1 a/m in_order");
    await finish(clock, probe);
    expect(probe.log).toEqual(["1 a/m probe", "1 finished"]);
  });

  test("a probe that breaks off in the middle of its answer has failed: left alone for longer", async () => {
    const { clock, ask, router } = ab({
      "a/m": [[broken], [broken], [broken], [text, new Failure("upstream_cut", "cut")]],
    });
    for (let index = 0; index < 3; index += 1) await finish(clock, ask("any"));
    clock.advance(5_000);
    const probe = ask("any");
    await finish(clock, probe);
    expect(probe.log).toEqual(["1 a/m probe", "1 upstream_cut"]);
    expect(router.state()[0]?.cooldown).toMatchObject({ state: "open", until: clock.now() + 10_000 });
  });

  test("a provider whose keys or settings are others is asked at once", async () => {
    const { clock, ask, router } = ab({ "a/m": [[busy(30_000)]], "b/m": [[busy(30_000)]] });
    await finish(clock, ask("any"));
    router.forgive("a");
    expect(router.state().map(({ cooldown }) => cooldown.state)).toEqual(["closed", "open"]);
    const next = ask("any");
    await finish(clock, next);
    expect(next.log).toEqual(["1 a/m in_order", "1 finished"]);
  });

  test("a probe that fails leaves it alone for longer; the request that probed is answered elsewhere", async () => {
    const { clock, ask, router } = ab({ "a/m": [[broken], [broken], [broken], [broken]] });
    for (let index = 0; index < 3; index += 1) await finish(clock, ask("any"));
    clock.advance(5_000);
    const probe = ask("any");
    await finish(clock, probe);
    expect(probe.log).toEqual(["1 a/m probe", "1 upstream_failed", "2 b/m in_order", "2 finished"]);
    expect(router.state()[0]?.cooldown.until).toBe(clock.now() + 10_000);
  });

  test("a probe whose client leaves tells nothing: the next request probes", async () => {
    const { clock, ask } = ab({ "a/m": [[busy(8_000)], ["silent"]] });
    await finish(clock, ask("any"));
    clock.advance(8_000);
    const leaving = new AbortController();
    const probe = ask("any", { signal: leaving.signal });
    await settle();
    leaving.abort();
    await finish(clock, probe);
    const next = ask("any");
    await finish(clock, next);
    expect(next.log).toEqual(["1 a/m probe", "1 finished"]);
  });

  test("all are left alone: 503 with the time until the first one may be asked", async () => {
    const { clock, ask } = ab({ "a/m": [[busy(30_000)]], "b/m": [[busy(12_000)]] });
    await finish(clock, ask("any"));
    const refused = ask("any");
    await finish(clock, refused);
    expect(await refused.end).toMatchObject({ code: "no_target", retryAfterSeconds: 12 });
    expect(refused.log).toEqual([]);
    expect(refused.plan()).toMatchObject({ attempts: [], excluded: [{ target: "a/m" }, { target: "b/m" }] });
    clock.advance(12_000);
    const back = ask("any");
    await finish(clock, back);
    expect(await back.end).toMatchObject({ type: "finished" });
  });

  test("what is the request's own fault cools nobody down", async () => {
    const wrong = new Failure("upstream_invalid_request", "wrong");
    const { clock, ask, router } = ab({ "a/m": [[wrong], [wrong], [wrong], [wrong]] });
    for (let index = 0; index < 4; index += 1) await finish(clock, ask("any"));
    expect(router.state()[0]?.cooldown).toMatchObject({ state: "closed", failures: 0 });
  });
});

test("latencies are measured, decay, and are followed", async () => {
  const routes = {
    any: { groups: [{ targets: [{ target: "a/m" }, { target: "b/m" }], strategy: "lowest-latency" as const }] },
  };
  const { clock, ask, asked, router } = world(
    { "a/m": [[800, text, finished]], "b/m": [[100, text, 900, finished]] },
    { routes },
  );
  // Both are tried before either is believed.
  for (let index = 0; index < 4; index += 1) await finish(clock, ask("any"), 60_000, 10);
  expect(asked).toEqual(["a/m", "b/m", "b/m", "b/m"]);
  expect(router.state()[0]?.ttftMs).toBeGreaterThanOrEqual(790);
  expect(router.state()[1]?.totalMs).toBeGreaterThan(router.state()[1]?.ttftMs ?? 0);
  clock.advance(7_200_000);
  expect(router.state().map(({ ttftMs }) => ttftMs)).toEqual([null, null]);
});
