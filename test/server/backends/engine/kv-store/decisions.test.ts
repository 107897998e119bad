import { describe, expect, test } from "vitest";
import { oldestOver, savingOrder, worthSaving } from "../../../../../server/backends/engine/kv-store/decisions.ts";
import { lengthClass, stateShape } from "../../../../../server/backends/engine/kv-store/shape.ts";

describe("a state is saved", () => {
  const facts = { tokens: 1_000, lost: 1_000, saved: 0, tier: "memory", last: false } as const;

  test("when enough is lost and not saved yet", () => {
    expect(worthSaving(facts)).toBe(true);
    expect(worthSaving({ ...facts, lost: 127 })).toBe(false);
    expect(worthSaving({ ...facts, saved: 900 })).toBe(false);
    expect(worthSaving({ ...facts, saved: 800 })).toBe(true);
  });

  test("on a disk only when it has grown by a quarter, except at the end", () => {
    expect(worthSaving({ ...facts, tier: "disk", saved: 810 })).toBe(false);
    expect(worthSaving({ ...facts, tier: "disk", saved: 800 })).toBe(true);
    expect(worthSaving({ ...facts, tier: "disk", saved: 810, last: true })).toBe(true);
  });

  test("so a conversation of many turns is written at most five times over", () => {
    let saved = 0;
    let written = 0;
    for (let tokens = 500; tokens <= 30_000; tokens += 500) {
      if (!worthSaving({ tokens, lost: tokens, saved, tier: "disk", last: false })) continue;
      written += tokens;
      saved = tokens;
    }
    expect(written).toBeLessThan(5 * 30_000);
    expect(saved).toBeGreaterThan(30_000 / 1.25);
  });
});

test("what goes when there is too much is what was used longest ago, and no more than has to", () => {
  const files = [
    { path: "b", bytes: 40, lastUsedMs: 2 },
    { path: "c", bytes: 40, lastUsedMs: 3 },
    { path: "a", bytes: 40, lastUsedMs: 1 },
  ];
  expect(oldestOver(files, 120)).toEqual([]);
  expect(oldestOver(files, 119).map(({ path }) => path)).toEqual(["a"]);
  expect(oldestOver(files, 40).map(({ path }) => path)).toEqual(["a", "b"]);
  expect(oldestOver(files, 0)).toHaveLength(3);
});

test("at the end conversations are saved before what was asked beside them, the latest first", () => {
  const slot = (name: string, lastUse: number, side = false, count = 500) => ({
    name,
    lastUse,
    side,
    tokens: Array.from({ length: count }, () => 1),
  });
  const slots = [slot("title", 9, true), slot("old", 1), slot("new", 5), slot("short", 8, false, 100)];
  expect(savingOrder(slots).map(({ name }) => name)).toEqual(["new", "old", "title"]);
});

describe("a state fits another context", () => {
  const context = {
    build: "engine 1",
    architecture: "qwen2",
    contextLength: 8_192,
    slots: 4,
    gpu: "cpu",
    cacheType: "f16",
  };

  test("of the same shape; its length does not matter where positions do not depend on it", () => {
    expect(stateShape({ ...context, contextLength: 16_384 })).toBe(stateShape(context));
    for (const other of [{ build: "engine 2" }, { slots: 1 }, { gpu: "cuda" }, { cacheType: "q8_0" }]) {
      expect(stateShape({ ...context, ...other })).not.toBe(stateShape(context));
    }
  });

  test("and where they may depend on it, of the same class of lengths", () => {
    expect(lengthClass("phi3", 4_096)).toBe(4_096);
    expect(lengthClass("phi3", 4_097)).toBe(8_192);
    expect(lengthClass("phi3", 8_000)).toBe(8_192);
    expect(lengthClass("never-heard-of", 100)).toBe(128);
  });
});
