import { describe, expect, test } from "vitest";
import {
  createRateLimits,
  type Pass,
  type RateLimits,
  type RateLimitSettings,
} from "../../../server/access/rate-limits.ts";
import { type Caller, type KeyLimits, keylessCaller, usualLimits } from "../../../server/domain/caller.ts";
import { estimatedPromptTokens } from "../../../server/domain/prompt-estimate.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { chatRequest } from "../../support/chat-request.ts";
import { manualClock } from "../../support/manual-clock.ts";

const ann: Caller = { kind: "key", keyId: 1, name: "ann" };
/** Another key of the same person. */
const annsAgent: Caller = { kind: "key", keyId: 2, name: "ann" };

function limitsOf(wishes: Partial<RateLimitSettings>) {
  const clock = manualClock();
  const settings = { requestsPerMinute: 0, tokensPerMinute: 0, concurrent: 0, ...wishes };
  return { clock, limits: createRateLimits(settings, clock) };
}

/** Let in at once. */
function enter(limits: RateLimits, caller: Caller): Pass {
  const pass = limits.enter(caller);
  if (pass instanceof Promise) throw new Error("has to wait");
  return pass;
}

function refusalOf(attempt: () => unknown): Failure {
  try {
    attempt();
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
  }
  throw new Error("was let in");
}

test("without limits everything passes and nothing is counted", () => {
  const { limits } = limitsOf({});
  for (let count = 0; count < 1_000; count += 1) enter(limits, ann).reserve(() => 1_000_000, "m");
  expect(limits.state(ann)).toEqual({ requests: null, tokens: null });
  expect(limits.refusals()).toEqual([]);
});

describe("requests per minute", () => {
  test("come back one by one", () => {
    const { limits, clock } = limitsOf({ requestsPerMinute: 6 });
    for (let count = 0; count < 6; count += 1) enter(limits, ann);
    expect(limits.state(ann).requests).toEqual({ limit: 6, remaining: 0, resetMs: 60_000 });
    expect(refusalOf(() => enter(limits, ann))).toMatchObject({ code: "rate_limited", retryAfterSeconds: 10 });
    clock.advance(9_999);
    expect(refusalOf(() => enter(limits, ann)).retryAfterSeconds).toBe(1);
    clock.advance(1);
    enter(limits, ann);
    expect(limits.refusals()).toEqual([{ caller: "ann", refused: 2, lastAt: clock.now() - 1 }]);
  });

  test("are each key's own; keyless callers are one", () => {
    const { limits } = limitsOf({ requestsPerMinute: 1 });
    for (const caller of [ann, annsAgent, keylessCaller]) enter(limits, caller);
    for (const caller of [ann, annsAgent, keylessCaller]) {
      expect(refusalOf(() => enter(limits, caller)).code).toBe("rate_limited");
    }
  });
});

describe("tokens per minute", () => {
  test("are reserved by estimate and corrected by what was used", () => {
    const { limits } = limitsOf({ tokensPerMinute: 1_000 });
    const pass = enter(limits, ann);
    pass.reserve(() => 600, "m");
    expect(limits.state(ann).tokens?.remaining).toBe(400);
    expect(refusalOf(() => enter(limits, ann).reserve(() => 600, "m")).retryAfterSeconds).toBe(12);
    pass.settle(250);
    pass.settle(9_999);
    expect(limits.state(ann).tokens?.remaining).toBe(750);
  });

  test("used beyond the estimate are owed", () => {
    const { limits, clock } = limitsOf({ tokensPerMinute: 1_000 });
    const pass = enter(limits, ann);
    pass.reserve(() => 10, "m");
    pass.settle(3_000);
    expect(limits.state(ann).tokens).toEqual({ limit: 1_000, remaining: 0, resetMs: 180_000 });
    expect(refusalOf(() => enter(limits, ann).reserve(() => 1, "m")).retryAfterSeconds).toBe(60);
    clock.advance(120_060);
    enter(limits, ann).reserve(() => 1, "m");
  });

  test("a prompt larger than a minute's worth passes when the bucket is full", () => {
    const { limits, clock } = limitsOf({ tokensPerMinute: 1_000 });
    enter(limits, ann).reserve(() => 5_000, "m");
    clock.advance(240_000);
    expect(refusalOf(() => enter(limits, ann).reserve(() => 5_000, "m")).code).toBe("rate_limited");
    clock.advance(60_000);
    enter(limits, ann).reserve(() => 5_000, "m");
  });
});

test("requests at the same time: who leaves makes room, once", () => {
  const { limits } = limitsOf({ concurrent: 2 });
  const [first] = [enter(limits, ann), enter(limits, ann)];
  expect(refusalOf(() => enter(limits, ann))).toMatchObject({ code: "rate_limited", retryAfterSeconds: 5 });
  first?.leave();
  first?.leave();
  enter(limits, ann);
  expect(refusalOf(() => enter(limits, ann)).code).toBe("rate_limited");
});

test("a prompt is estimated by its characters, tools and calls included", () => {
  const request = chatRequest("x".repeat(400), {
    tools: [{ name: "n".repeat(4), description: "d".repeat(90), parameters: { type: "object" } }],
  });
  expect(estimatedPromptTokens(request)).toBe(Math.ceil((400 + 4 + 90 + '{"type":"object"}'.length) / 4));
});

describe("limits of a key's own", () => {
  const limited = (limits: Partial<KeyLimits>): Caller => ({ ...ann, limits: { ...usualLimits, ...limits } });

  test("stand in for those of every key; 0 is no limit", () => {
    const { limits } = limitsOf({ requestsPerMinute: 1 });
    const generous = limited({ requestsPerMinute: 3 });
    for (let count = 0; count < 3; count += 1) enter(limits, generous);
    expect(refusalOf(() => enter(limits, generous)).message).toContain("3 requests per minute");
    const free = { ...limited({ requestsPerMinute: 0 }), keyId: 7 };
    for (let count = 0; count < 50; count += 1) enter(limits, free);
  });

  test("that change take effect with the next request; who runs still runs", () => {
    const { limits } = limitsOf({});
    const first = enter(limits, limited({ concurrent: 1 }));
    expect(refusalOf(() => enter(limits, limited({ concurrent: 1 }))).code).toBe("rate_limited");
    enter(limits, limited({ concurrent: 2 }));
    expect(refusalOf(() => enter(limits, limited({ concurrent: 2 }))).code).toBe("rate_limited");
    first.leave();
    enter(limits, limited({ concurrent: 2 }));
  });
});

describe("limits of a person", () => {
  test("count all their keys together; others are not concerned", () => {
    const { limits } = limitsOf({ persons: { ann: { requestsPerMinute: 2 } } });
    enter(limits, ann);
    enter(limits, annsAgent);
    expect(refusalOf(() => enter(limits, ann)).message).toContain("2 requests per minute by this person");
    enter(limits, { ...ann, keyId: 3, name: "ben" });
    expect(limits.state(annsAgent).requests).toMatchObject({ limit: 2, remaining: 0 });
  });

  test("`*` is for each person that is not named", () => {
    const { limits } = limitsOf({ persons: { "*": { concurrent: 1 }, ann: { concurrent: 2 } } });
    const ben: Caller = { kind: "key", keyId: 3, name: "ben" };
    const eve: Caller = { kind: "key", keyId: 4, name: "eve" };
    for (const caller of [ann, annsAgent, ben, eve]) enter(limits, caller);
    for (const caller of [ann, ben, eve]) expect(refusalOf(() => enter(limits, caller)).code).toBe("rate_limited");
  });
});

describe("limits of a model", () => {
  test("are asked when the model is known, whoever asks, and its place is given back", () => {
    const { limits } = limitsOf({ models: { coder: { concurrent: 1 } } });
    const never = () => expect.unreachable("nobody counts tokens here");
    const first = enter(limits, ann);
    expect(first.reserve(never, "coder")).toBeUndefined();
    const second = enter(limits, keylessCaller);
    expect(refusalOf(() => second.reserve(never, "coder")).message).toContain("at the same time for this model");
    second.leave();
    enter(limits, keylessCaller).reserve(never, "other");
    first.leave();
    enter(limits, keylessCaller).reserve(never, "coder");
  });

  test("of tokens are reserved and corrected as a key's are, and are counted only then", () => {
    const { limits } = limitsOf({ models: { coder: { tokensPerMinute: 100 } } });
    const pass = enter(limits, ann);
    expect(pass.countsTokens).toBe(false);
    pass.reserve(() => 90, "coder");
    expect(pass.countsTokens).toBe(true);
    expect(refusalOf(() => enter(limits, annsAgent).reserve(() => 20, "coder")).retryAfterSeconds).toBe(6);
    pass.settle(10);
    enter(limits, annsAgent).reserve(() => 80, "coder");
  });
});

describe("with time to wait", () => {
  const waitingFor = (limits: RateLimits, caller: Caller, leaving?: AbortSignal) => {
    const pass = limits.enter(caller, leaving === undefined ? undefined : () => leaving);
    if (!(pass instanceof Promise)) throw new Error("did not have to wait");
    return pass;
  };
  const withPriority = (keyId: number, priority: number): Caller => ({
    ...{ kind: "key", keyId, name: `p${keyId}` },
    limits: { ...usualLimits, priority },
  });

  test("a request past its rate is let in when there is room", async () => {
    const { limits, clock } = limitsOf({ requestsPerMinute: 6, waitMs: 15_000 });
    for (let count = 0; count < 6; count += 1) enter(limits, ann);
    const waiting = waitingFor(limits, ann);
    clock.advance(10_000);
    (await waiting).leave();
    expect(limits.refusals()).toEqual([]);
  });

  test("longer than it may wait it is refused: at once where that is clear, else when the time is over", async () => {
    const { limits, clock } = limitsOf({ requestsPerMinute: 6, concurrent: 6, waitMs: 5_000 });
    const passes = Array.from({ length: 6 }, () => enter(limits, ann));
    const crowded = waitingFor(limits, ann);
    clock.advance(5_000);
    await expect(crowded).rejects.toMatchObject({ code: "rate_limited", retryAfterSeconds: 5 });
    for (const pass of passes) pass.leave();
    enter(limits, { ...ann, keyId: 9 });
    // Half a request is there after five seconds, the next whole one after ten.
    expect(waitingFor(limits, ann)).toBeInstanceOf(Promise);
    const { limits: slow } = limitsOf({ requestsPerMinute: 1, waitMs: 5_000 });
    enter(slow, ann);
    expect(refusalOf(() => enter(slow, ann)).retryAfterSeconds).toBe(60);
  });

  test("the higher priority goes first, then who came first", async () => {
    const { limits } = limitsOf({ models: { coder: { concurrent: 1 } }, waitMs: 60_000 });
    const running = enter(limits, ann);
    running.reserve(() => 0, "coder");
    const order: string[] = [];
    const line = [withPriority(1, 0), withPriority(2, 0), withPriority(3, 5), withPriority(4, -1)].map((caller) => {
      const pass = enter(limits, caller);
      return Promise.resolve(pass.reserve(() => 0, "coder")).then(() => {
        order.push(caller.name);
        pass.leave();
      });
    });
    running.leave();
    await Promise.all(line);
    expect(order).toEqual(["p3", "p1", "p2", "p4"]);
  });

  test("who wants little does not overtake who waits for much, and others are not held up", async () => {
    const { limits, clock } = limitsOf({ models: { coder: { tokensPerMinute: 600 } }, waitMs: 60_000 });
    enter(limits, ann).reserve(() => 600, "coder");
    const order: string[] = [];
    const much = Promise.resolve(enter(limits, ann).reserve(() => 300, "coder")).then(() => order.push("much"));
    const little = Promise.resolve(enter(limits, annsAgent).reserve(() => 10, "coder")).then(() =>
      order.push("little"),
    );
    enter(limits, ann).reserve(() => 10, "other");
    clock.advance(2_000);
    await Promise.resolve();
    expect(order).toEqual([]);
    clock.advance(30_000);
    await Promise.all([much, little]);
    expect(order).toEqual(["much", "little"]);
  });

  test("a client that goes away while it waits takes nothing", async () => {
    const { limits } = limitsOf({ concurrent: 1, waitMs: 60_000 });
    const running = enter(limits, ann);
    const leaving = new AbortController();
    const left = waitingFor(limits, ann, leaving.signal);
    const next = waitingFor(limits, ann);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: "rate_limited" });
    running.leave();
    (await next).leave();
    enter(limits, ann);
  });
});
