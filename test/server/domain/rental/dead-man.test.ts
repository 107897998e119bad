/** When a rented machine ends itself, and how it goes on asking its market. */
import { describe, expect, test } from "vitest";
import { afterAnswer, deadMan, idleStepOf } from "../../../../server/domain/rental/dead-man.ts";

const rules = { homeSilenceMs: 60_000, whenSilent: "stop", endsAtMs: null } as const;
const now = { monotonicMs: 500_000, nowMs: 1_700_000_000_000 };

describe("home", () => {
  test("heard: the switch looks again when its silence would be too long", () => {
    expect(deadMan({ ...now, heardMs: 470_000 }, rules)).toEqual({ kind: "wait", forMs: 30_000 });
  });

  test("silent for too long: the rental ends as the rules say", () => {
    const verdict = deadMan({ ...now, heardMs: 440_000 }, { ...rules, whenSilent: "destroy" });
    expect(verdict).toEqual({
      kind: "end",
      deed: "destroy",
      cause: "home_silent",
      reason: "home was not heard for 60 s",
    });
  });

  test("nobody is waited for", () => {
    expect(deadMan({ ...now, heardMs: 0 }, { ...rules, homeSilenceMs: null })).toEqual({ kind: "wait", forMs: null });
  });
});

describe("the end of the lease", () => {
  const ending = { ...rules, homeSilenceMs: null, endsAtMs: now.nowMs + 300_000 };

  test("is looked at every minute, as the wall's clock may be set, and not later than it comes", () => {
    expect(deadMan({ ...now, heardMs: 0 }, ending)).toEqual({ kind: "wait", forMs: 60_000 });
    expect(deadMan({ ...now, nowMs: ending.endsAtMs - 7_000, heardMs: 0 }, ending)).toEqual({
      kind: "wait",
      forMs: 7_000,
    });
  });

  test("destroys, whatever home says and however silence would end it", () => {
    const facts = { ...now, nowMs: ending.endsAtMs, heardMs: now.monotonicMs };
    expect(deadMan(facts, { ...rules, endsAtMs: ending.endsAtMs })).toMatchObject({
      kind: "end",
      deed: "destroy",
      cause: "time_over",
    });
  });
});

describe("asking the market", () => {
  test("waits grow to a minute while it does not do it, and never end", () => {
    const waits = [0, 1, 2, 5, 6, 7, 1_000].map((before) => afterAnswer("failed", before));
    expect(waits.map((step) => (step.kind === "ask-again" ? step.afterMs : null))).toEqual([
      1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000,
    ]);
    expect(afterAnswer("again", 0)).toEqual({ kind: "ask-again", afterMs: 1_000 });
  });

  test('a "done" is asked about again as long as this process lives: it would not, if it were', () => {
    expect([0, 1, 9].map((before) => afterAnswer("done", before))).toEqual([
      { kind: "ask-again", afterMs: 60_000 },
      { kind: "ask-again", afterMs: 120_000 },
      { kind: "ask-again", afterMs: 600_000 },
    ]);
  });

  test("a machine that the market does not know is over", () => {
    expect(afterAnswer("gone", 3)).toEqual({ kind: "over" });
  });
});

test("auto stops a headless rental that can end itself, and nothing else", () => {
  expect(idleStepOf("auto", { headless: true, canEnd: true })).toBe("stop-rental");
  expect(idleStepOf("auto", { headless: true, canEnd: false })).toBe("stay");
  expect(idleStepOf("auto", { headless: false, canEnd: true })).toBe("stay");
  expect(idleStepOf("exit", { headless: true, canEnd: true })).toBe("exit");
});
