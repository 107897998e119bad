import { describe, expect, test } from "vitest";
import {
  type PlaceWish,
  placeInSlot,
  type SlotFacts,
  type SnapshotFacts,
} from "../../../../server/backends/engine/worker/slots.ts";

const tokens = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

function slot(sequence: number, computed: readonly number[], more: Partial<SlotFacts> = {}): SlotFacts {
  return {
    sequence,
    busy: false,
    computed,
    planned: computed,
    lastUse: sequence,
    session: null,
    side: false,
    group: "shared",
    ...more,
  };
}

/** Where a prompt goes. */
function place(
  slots: readonly SlotFacts[],
  snapshots: readonly SnapshotFacts[],
  prompt: readonly number[],
  wish: Partial<PlaceWish> = {},
) {
  return placeInSlot(slots, snapshots, { prompt, share: true, group: "shared", session: null, ...wish });
}

describe("a request's slot", () => {
  test("is the idle one whose conversation it continues", () => {
    const slots = [slot(0, tokens(0, 100)), slot(1, tokens(500, 100))];
    const prompt = [...tokens(500, 100), 7, 8, 9];
    expect(place(slots, [], prompt)).toEqual({ type: "reuse", sequence: 1, keep: 100 });
  });

  test("always leaves one token to compute, or there would be no logits to sample", () => {
    expect(place([slot(0, tokens(0, 100))], [], tokens(0, 100))).toEqual({
      type: "reuse",
      sequence: 0,
      keep: 99,
    });
  });

  test("is an empty one with the shared head copied in, when a long history shares only its head", () => {
    const slots = [slot(0, [...tokens(0, 200), ...tokens(9_000, 800)]), slot(1, [])];
    const prompt = [...tokens(0, 200), ...tokens(5_000, 50)];
    expect(place(slots, [], prompt)).toEqual({ type: "copy", sequence: 1, source: 0, keep: 200 });
  });

  test("copies from a busy slot", () => {
    const slots = [slot(0, tokens(0, 300), { busy: true, planned: tokens(0, 300) }), slot(1, [])];
    expect(place(slots, [], [...tokens(0, 300), 7])).toEqual({
      type: "copy",
      sequence: 1,
      source: 0,
      keep: 300,
    });
  });

  test("waits for a prefix somebody else is computing, and takes no second slot's time for it", () => {
    const slots = [slot(0, tokens(0, 64), { busy: true, planned: tokens(0, 1_000) }), slot(1, [])];
    const prompt = [...tokens(0, 990), 7, 8];
    expect(place(slots, [], prompt)).toEqual({ type: "wait", sequence: 1, source: 0, until: 990 });
  });

  test("is the one used longest ago when nothing is shared", () => {
    const slots = [slot(0, tokens(0, 10), { lastUse: 5 }), slot(1, tokens(50, 10), { lastUse: 3 })];
    expect(place(slots, [], tokens(900, 10))).toEqual({ type: "reuse", sequence: 1, keep: 0 });
  });

  test("takes a saved prefix back when the slots hold less of it", () => {
    const slots = [slot(0, tokens(0, 100)), slot(1, [])];
    const saved = [{ id: 7, tokens: tokens(0, 900), group: "shared" }];
    const prompt = [...tokens(0, 900), 7, 8];
    expect(place(slots, saved, prompt)).toEqual({ type: "restore", sequence: 1, snapshot: 7, keep: 900 });
  });

  test("is none while all are busy", () => {
    expect(place([slot(0, [], { busy: true })], [], tokens(0, 3))).toBeNull();
  });

  test("shares nothing when the client asked for a fresh computation", () => {
    const slots = [slot(0, tokens(0, 100)), slot(1, tokens(0, 50), { busy: true })];
    expect(place(slots, [], tokens(0, 100), { share: false })).toEqual({ type: "reuse", sequence: 0, keep: 0 });
  });

  test("is not the one of another session, even where that began alike: its history stays, its head is copied", () => {
    const head = tokens(0, 300);
    const slots = [slot(0, [...head, ...tokens(9_000, 100)], { session: "a" }), slot(1, [])];
    const prompt = [...head, ...tokens(5_000, 50)];
    expect(place(slots, [], prompt, { session: "b" })).toEqual({ type: "copy", sequence: 1, source: 0, keep: 300 });
    expect(place(slots, [], prompt, { session: "a" })).toEqual({ type: "reuse", sequence: 0, keep: 300 });
    expect(place(slots, [], prompt)).toEqual({ type: "reuse", sequence: 0, keep: 300 });
  });

  test("is taken from what was asked beside a conversation before it is taken from a conversation", () => {
    const slots = [slot(0, tokens(0, 900)), slot(1, tokens(2_000, 40), { side: true }), slot(2, tokens(4_000, 900))];
    expect(place(slots, [], tokens(7_000, 50))).toEqual({ type: "reuse", sequence: 1, keep: 0 });
  });

  test("shares nothing with another group: not its slot, not its copy, not its snapshot, not its wait", () => {
    const prompt = [...tokens(0, 900), 7];
    const wish = { group: "key-7" };
    const idle = [slot(0, tokens(0, 900)), slot(1, [])];
    expect(place(idle, [], prompt, wish)).toEqual({ type: "reuse", sequence: 1, keep: 0 });
    const busy = [slot(0, tokens(0, 900), { busy: true }), slot(1, [])];
    expect(place(busy, [], prompt, wish)).toEqual({ type: "reuse", sequence: 1, keep: 0 });
    const computing = [slot(0, tokens(0, 64), { busy: true, planned: tokens(0, 1_000) }), slot(1, [])];
    expect(place(computing, [], prompt, wish)).toEqual({ type: "reuse", sequence: 1, keep: 0 });
    const saved = [{ id: 7, tokens: tokens(0, 900), group: "shared" }];
    expect(place([slot(0, [])], saved, prompt, wish)).toEqual({ type: "reuse", sequence: 0, keep: 0 });
    // The only slot there is: it is taken, and nothing of it kept.
    expect(place([slot(0, tokens(0, 900))], [], prompt, wish)).toEqual({ type: "reuse", sequence: 0, keep: 0 });
  });

  test("shares within a group of its own", () => {
    const own = [slot(0, tokens(0, 900), { group: "key-7" }), slot(1, [])];
    const prompt = [...tokens(0, 900), 7];
    expect(place(own, [], prompt, { group: "key-7" })).toEqual({ type: "reuse", sequence: 0, keep: 900 });
    const saved = [{ id: 7, tokens: tokens(0, 900), group: "key-7" }];
    expect(place([slot(0, [])], saved, prompt, { group: "key-7" })).toMatchObject({ type: "restore", keep: 900 });
  });
});
