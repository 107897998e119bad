/** The small decisions of a download: pace, cap, retries, space, names. */
import { describe, expect, test } from "vitest";
import { isFileAlias, targetFileName, targetPath } from "../../../models/download/names.ts";
import { Pace } from "../../../models/download/pace.ts";
import { RateCap } from "../../../models/download/rate-cap.ts";
import { longestAskedWaitMs, nextTry } from "../../../models/download/retry.ts";
import { spaceTrouble } from "../../../models/download/space.ts";
import { again, DownloadTrouble, doubt, never, type Remedy } from "../../../models/download/trouble.ts";
import { nameOf } from "../../../models/download/wish.ts";
import type { Failure } from "../../../server/domain/failure.ts";

describe("rate cap", () => {
  test("what comes faster is waited for, and a quiet moment is not saved up for ever", () => {
    const cap = new RateCap(1000, 0);
    expect(cap.take(500, 0)).toBe(0);
    expect(cap.take(250, 0)).toBe(250);
    expect(cap.take(250, 250)).toBe(250);
    expect(cap.take(500, 100_000)).toBe(0);
    expect(cap.take(100, 100_000)).toBe(100);
  });

  test("over a long time exactly the cap is let through", () => {
    const cap = new RateCap(1_000_000, 0);
    let nowMs = 0;
    for (let taken = 0; taken < 10_000_000; taken += 16_384) nowMs += cap.take(16_384, nowMs);
    expect(nowMs).toBeGreaterThan(9_400);
    expect(nowMs).toBeLessThan(10_100);
  });

  test("0 is no cap, and a low one trickles", () => {
    expect(new RateCap(0, 0).take(1e12, 0)).toBe(0);
    expect(new RateCap(0, 0).sliceBytes).toBe(Number.POSITIVE_INFINITY);
    expect(new RateCap(100_000, 0).sliceBytes).toBe(25_000);
    expect(new RateCap(10, 0).sliceBytes).toBe(1024);
  });
});

describe("pace", () => {
  test("bytes of the last seconds per second, and nothing when nothing came", () => {
    const pace = new Pace();
    expect(pace.perSecond(0)).toBeNull();
    for (let ms = 0; ms <= 10_000; ms += 100) pace.add(1000, ms);
    expect(pace.perSecond(10_000)).toBeCloseTo(10_000, -3);
    expect(pace.perSecond(15_100)).toBeNull();
  });

  test("the first bytes do not look like a thousand times as many", () => {
    const pace = new Pace();
    pace.add(1000, 0);
    expect(pace.perSecond(1)).toBeLessThanOrEqual(4000);
    pace.reset();
    expect(pace.perSecond(1)).toBeNull();
  });
});

describe("the next try", () => {
  const times = { firstDelayMs: 500, longestDelayMs: 30_000, patienceMs: 60_000 };
  const next = (remedy: Remedy, fruitless: number, idleMs = 0, askedWaitMs = 0) =>
    nextTry(
      new DownloadTrouble("unreachable", remedy, "cut"),
      { fruitless, lastByteMs: 0, askedWaitMs },
      idleMs,
      0.5,
      times,
    );

  test("after a cut at once, then with growing pauses up to a bound", () => {
    const delays = [1, 2, 3, 4, 9].map((fruitless) => next(again, fruitless));
    expect(delays.map((order) => (order.kind === "try" ? order.delayMs : -1))).toEqual([0, 500, 1000, 2000, 30_000]);
  });

  test("the pause differs from download to download", () => {
    const trouble = new DownloadTrouble("unreachable", again, "cut");
    const facts = { fruitless: 3, lastByteMs: 0, askedWaitMs: 0 };
    const spread = [0, 1].map((chance) => nextTry(trouble, facts, 0, chance, times));
    expect(spread.map((order) => (order.kind === "try" ? order.delayMs : -1))).toEqual([750, 1250]);
  });

  test("patience ends, and an asked wait is not counted against it", () => {
    expect(next(again, 3, 59_000).kind).toBe("try");
    expect(next(again, 3, 61_000).kind).toBe("give-up");
    expect(next(again, 3, 61_000, 30_000).kind).toBe("try");
  });

  test("a wait is exactly what was said; one of hours is not waited for", () => {
    expect(next({ kind: "wait", waitMs: 42_000 }, 5, 100_000)).toEqual({
      kind: "try",
      delayMs: 42_000,
      freshLink: true,
    });
    expect(next({ kind: "wait", waitMs: longestAskedWaitMs + 1 }, 1).kind).toBe("give-up");
    // Zero says nothing: it grows like any other.
    expect(next({ kind: "wait", waitMs: 0 }, 3)).toMatchObject({ delayMs: 1000 });
  });

  test("wrong answers are doubted a few times, refusals never", () => {
    expect([1, 4, 5].map((fruitless) => next(doubt, fruitless).kind)).toEqual(["try", "try", "give-up"]);
    expect(next(doubt, 1)).toMatchObject({ freshLink: true });
    expect(next(never, 1).kind).toBe("give-up");
  });
});

test("a download needs room beside the others, and some stays free", () => {
  const facts = { freeBytes: 100, neededBytes: 60, promisedBytes: 20, keptBytes: 20 };
  expect(spaceTrouble(facts)).toBeNull();
  expect(spaceTrouble({ ...facts, promisedBytes: 21 })).toMatchObject({ code: "no_space" });
  expect(spaceTrouble({ ...facts, neededBytes: 61 })).toMatchObject({ code: "no_space" });
  expect(spaceTrouble({ ...facts, keptBytes: 21, promisedBytes: 2 ** 31 })?.why).toContain(
    "Other downloads still need 2.0 GiB",
  );
});

describe("names", () => {
  test("a file keeps its own name, or gets the alias with its part's number", () => {
    expect(targetFileName("a/b/Coder-Q4_K_M.gguf", null)).toBe("Coder-Q4_K_M.gguf");
    expect(targetFileName("Coder-Q4_K_M.gguf", "coder")).toBe("coder.gguf");
    expect(targetFileName("x/Coder-00002-of-00003.gguf", "coder")).toBe("coder-00002-of-00003.gguf");
    expect(targetPath("/data/models", "coder.gguf")).toBe("/data/models/coder.gguf");
    for (const name of ["../coder.gguf", "a/coder.gguf", "coder.json"]) {
      expect(() => targetPath("/data/models", name)).toThrow(DownloadTrouble);
    }
  });

  test.each([
    "../coder.gguf",
    "/etc/coder.gguf",
    "a/../../coder.gguf",
    "coder.gguf\0.txt",
    "coder.gguf:stream",
    "a\\b.gguf",
    "con.gguf",
    ".gguf",
    ".hidden.gguf",
    "coder.gguf ",
    "coder.bin",
    "%2e%2e/coder.gguf",
    "co\u202eder.gguf",
    `${"x".repeat(4096)}.gguf`,
    "lanthorn-demo.gguf",
  ])("S-33 %j is no file name here", (name) => {
    expect(() => targetFileName(name, null)).toThrow(DownloadTrouble);
  });

  test("an alias becomes a file's name, so it must be able to", () => {
    expect(["coder", "qwen2.5-coder_7b"].map(isFileAlias)).toEqual([true, true]);
    const wrong = [
      "",
      "../x",
      "a/b",
      "Coder",
      "a b",
      "nul",
      "lanthorn-demo",
      "x-00001-of-00002",
      "a..",
      ".x",
      "x".repeat(101),
    ];
    expect(wrong.filter(isFileAlias)).toEqual([]);
  });

  test.each([
    ["../../etc/passwd", "model"],
    ["owner/name/../../../x.gguf", "model"],
    ["http://169.254.169.254/latest", "model"],
    ["owner/name@../main", "model"],
  ])("S-33 %j is refused before anybody is asked", (model, param) => {
    const asked = () => nameOf({ model, acceptLicense: false, alias: null, rateBytesPerSecond: 0 });
    expect(asked).toThrow(expect.objectContaining({ code: "invalid_request", param }) as Failure);
  });
});
