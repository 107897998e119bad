import { describe, expect, test } from "vitest";
import type { FailureCode } from "../../../../server/domain/failure.ts";
import {
  type Cooldown,
  type CooldownEvent,
  cooldownState,
  mayAsk,
  notCooling,
  stepCooldown,
  waitMs,
} from "../../../../server/domain/routing/cooldown.ts";

const failed = (code: FailureCode, more: Partial<Extract<CooldownEvent, { type: "failed" }>> = {}): CooldownEvent => ({
  type: "failed",
  code,
  coolDownMs: null,
  outOfKeys: false,
  probe: false,
  ...more,
});
const succeeded = (probe = false): CooldownEvent => ({ type: "succeeded", probe });
const followed = (events: readonly CooldownEvent[], nowMs = 0, from: Cooldown = notCooling) =>
  events.reduce((cooldown, event) => stepCooldown(cooldown, event, nowMs), from);

describe("a target is left alone", () => {
  test("after three failures in a row of its own, not after two with a success between", () => {
    const broken = failed("upstream_failed");
    expect(cooldownState(followed([broken, broken]), 0)).toBe("closed");
    expect(cooldownState(followed([broken, broken, broken]), 0)).toBe("open");
    expect(cooldownState(followed([broken, broken, succeeded(), broken]), 0)).toBe("closed");
    expect(waitMs(followed([broken, broken, broken]), 0)).toBe(5_000);
  });

  test("at once where the upstream names a time, and never for longer than five minutes", () => {
    expect(waitMs(followed([failed("upstream_overloaded", { coolDownMs: 20_000 })]), 0)).toBe(20_000);
    expect(waitMs(followed([failed("upstream_overloaded", { coolDownMs: 86_400_000 })]), 0)).toBe(300_000);
    expect(waitMs(followed([failed("upstream_model_missing")]), 0)).toBe(60_000);
  });

  test("for a failure of a key only when no other key is left", () => {
    const limited = { coolDownMs: 9_000 };
    expect(cooldownState(followed([failed("upstream_rate_limited", limited)]), 0)).toBe("closed");
    expect(waitMs(followed([failed("upstream_rate_limited", { ...limited, outOfKeys: true })]), 0)).toBe(9_000);
    expect(waitMs(followed([failed("upstream_key_refused", { outOfKeys: true })]), 0)).toBe(5_000);
  });

  test("with or without keys, a single failure of its own is not enough", () => {
    expect(cooldownState(followed([failed("upstream_failed", { outOfKeys: true })]), 0)).toBe("closed");
  });

  test("never for what is the request's own fault, or the box's", () => {
    const codes: readonly FailureCode[] = [
      "upstream_invalid_request",
      "context_length_exceeded",
      "queue_full",
      "worker_died",
    ];
    for (const code of codes)
      expect(followed([failed(code), failed(code), failed(code), failed(code)])).toEqual(notCooling);
  });
});

describe("when its time is over", () => {
  const open = followed([failed("upstream_failed", { coolDownMs: 5_000 })]);

  test("one request may try, the others wait for what becomes of it", () => {
    expect(mayAsk(open, 4_999)).toBe(false);
    expect(cooldownState(open, 5_000)).toBe("half-open");
    expect(mayAsk(open, 5_000)).toBe(true);
    const probing = followed([{ type: "probe-begun" }], 5_000, open);
    expect(mayAsk(probing, 5_000)).toBe(false);
    expect(waitMs(probing, 5_000)).toBeGreaterThan(0);
    expect(mayAsk(followed([{ type: "probe-left" }], 5_100, probing), 5_100)).toBe(true);
  });

  test("a probe that succeeds brings it back whole", () => {
    expect(followed([{ type: "probe-begun" }, succeeded(true)], 5_000, open)).toEqual(notCooling);
  });

  test("a probe that fails leaves it alone for twice as long, each time, up to five minutes", () => {
    let cooldown = followed([failed("upstream_failed"), failed("upstream_failed"), failed("upstream_failed")]);
    const waits: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      const nowMs = cooldown.untilMs ?? 0;
      cooldown = followed([{ type: "probe-begun" }, failed("upstream_failed", { probe: true })], nowMs, cooldown);
      waits.push(waitMs(cooldown, nowMs));
    }
    expect(waits).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000, 300_000]);
  });

  test("a probe that the target refused for the request's own sake was answered: it is back", () => {
    const refused = failed("upstream_invalid_request", { probe: true });
    expect(followed([{ type: "probe-begun" }, refused], 5_000, open)).toEqual(notCooling);
  });

  test("an answer that began before the trouble says nothing about now", () => {
    expect(followed([succeeded()], 1_000, open)).toEqual(open);
  });
});
