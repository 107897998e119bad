import { describe, expect, test } from "vitest";
import {
  createRateLimits,
  type Pass,
  type RateLimits,
  type RateLimitSettings,
} from "../../../server/access/rate-limits.ts";
import { type Caller, keylessCaller } from "../../../server/domain/caller.ts";
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
