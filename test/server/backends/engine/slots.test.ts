import { describe, expect, test } from "vitest";
import { placeInSlot, type SlotFacts } from "../../../../server/backends/engine/worker/slots.ts";

const tokens = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

function slot(sequence: number, computed: readonly number[], more: Partial<SlotFacts> = {}): SlotFacts {
  return { sequence, busy: false, computed, planned: computed, lastUse: sequence, session: null, side: false, ...more };
}

describe("a request's slot", () => {
  test("is the idle one whose conversation it continues", () => {
    const slots = [slot(0, tokens(0, 100)), slot(1, tokens(500, 100))];
    const prompt = [...tokens(500, 100), 7, 8, 9];
    expect(placeInSlot(slots, [], prompt, true)).toEqual({ type: "reuse", sequence: 1, keep: 100 });
  });

  test("always leaves one token to compute, or there would be no logits to sample", () => {
    expect(placeInSlot([slot(0, tokens(0, 100))], [], tokens(0, 100), true)).toEqual({
      type: "reuse",
      sequence: 0,
      keep: 99,
    });
  });

  test("is an empty one with the shared head copied in, when a long history shares only its head", () => {
    const slots = [slot(0, [...tokens(0, 200), ...tokens(9_000, 800)]), slot(1, [])];
    const prompt = [...tokens(0, 200), ...tokens(5_000, 50)];
    expect(placeInSlot(slots, [], prompt, true)).toEqual({ type: "copy", sequence: 1, source: 0, keep: 200 });
  });

  test("copies from a busy slot", () => {
    const slots = [slot(0, tokens(0, 300), { busy: true, planned: tokens(0, 300) }), slot(1, [])];
    expect(placeInSlot(slots, [], [...tokens(0, 300), 7], true)).toEqual({
      type: "copy",
      sequence: 1,
      source: 0,
      keep: 300,
    });
  });

  test("waits for a prefix somebody else is computing, and takes no second slot's time for it", () => {
    const slots = [slot(0, tokens(0, 64), { busy: true, planned: tokens(0, 1_000) }), slot(1, [])];
    const prompt = [...tokens(0, 990), 7, 8];
    expect(placeInSlot(slots, [], prompt, true)).toEqual({ type: "wait", sequence: 1, source: 0, until: 990 });
  });

  test("is the one used longest ago when nothing is shared", () => {
    const slots = [slot(0, tokens(0, 10), { lastUse: 5 }), slot(1, tokens(50, 10), { lastUse: 3 })];
    expect(placeInSlot(slots, [], tokens(900, 10), true)).toEqual({ type: "reuse", sequence: 1, keep: 0 });
  });

  test("takes a saved prefix back when the slots hold less of it", () => {
    const slots = [slot(0, tokens(0, 100)), slot(1, [])];
    const saved = [{ id: 7, tokens: tokens(0, 900) }];
    const prompt = [...tokens(0, 900), 7, 8];
    expect(placeInSlot(slots, saved, prompt, true)).toEqual({ type: "restore", sequence: 1, snapshot: 7, keep: 900 });
  });

  test("is none while all are busy", () => {
    expect(placeInSlot([slot(0, [], { busy: true })], [], tokens(0, 3), true)).toBeNull();
  });

  test("shares nothing when the client asked for a fresh computation", () => {
    const slots = [slot(0, tokens(0, 100)), slot(1, tokens(0, 50), { busy: true })];
    expect(placeInSlot(slots, [], tokens(0, 100), false)).toEqual({ type: "reuse", sequence: 0, keep: 0 });
  });

  test("is not the one of another session, even where that began alike: its history stays, its head is copied", () => {
    const head = tokens(0, 300);
    const slots = [slot(0, [...head, ...tokens(9_000, 100)], { session: "a" }), slot(1, [])];
    const prompt = [...head, ...tokens(5_000, 50)];
    expect(placeInSlot(slots, [], prompt, true, "b")).toEqual({ type: "copy", sequence: 1, source: 0, keep: 300 });
    expect(placeInSlot(slots, [], prompt, true, "a")).toEqual({ type: "reuse", sequence: 0, keep: 300 });
    expect(placeInSlot(slots, [], prompt, true, null)).toEqual({ type: "reuse", sequence: 0, keep: 300 });
  });

  test("is taken from what was asked beside a conversation before it is taken from a conversation", () => {
    const slots = [slot(0, tokens(0, 900)), slot(1, tokens(2_000, 40), { side: true }), slot(2, tokens(4_000, 900))];
    expect(placeInSlot(slots, [], tokens(7_000, 50), true)).toEqual({ type: "reuse", sequence: 1, keep: 0 });
  });
});
