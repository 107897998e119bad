import { describe, expect, test } from "vitest";
import { type HeldSlot, type Place, WaitingLine } from "../../../../server/backends/engine/waiting-line.ts";
import { Failure } from "../../../../server/domain/failure.ts";
import { manualClock } from "../../../support/manual-clock.ts";

const never = new AbortController().signal;

function lineOf(slots: number, bound: number, clock = manualClock()) {
  const told: string[][] = [];
  const line = new WaitingLine("m", slots, bound, clock, (callers) => told.push([...callers]));
  const arrive = (caller: string, side = false): Place => line.arrive({ caller, name: caller, side });
  const enter = (caller: string, tokens = 10): Promise<HeldSlot> => arrive(caller).enter(tokens, never);
  return { line, clock, told, arrive, enter };
}

function refusalOf(attempt: () => unknown): Failure {
  try {
    attempt();
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
  }
  throw new Error("was let in");
}

describe("the line for slots", () => {
  test("is first come, first served for one caller", async () => {
    const { line, enter, arrive } = lineOf(1, 8);
    const served: string[] = [];
    const first = await enter("ayo");
    const others = ["one", "two", "three"].map(async (name) => {
      const slot = await enter("ayo");
      served.push(name);
      slot.giveBack();
    });
    expect(line.view().map(({ caller, model, position }) => [caller, model, position])).toEqual([
      ["ayo", "m", 1],
      ["ayo", "m", 2],
      ["ayo", "m", 3],
    ]);
    first.giveBack();
    await Promise.all(others);
    expect(served).toEqual(["one", "two", "three"]);
    expect(arrive("ayo").position(10)).toBe(0);
  });

  test("lets callers take turns by tokens", async () => {
    const { enter } = lineOf(1, 400);
    const served: string[] = [];
    const first = await enter("somebody");
    const all = [...Array(3).fill("large"), ...Array(150).fill("small")].map(async (caller: string) => {
      const slot = await enter(caller, caller === "large" ? 4_000 : 40);
      served.push(caller);
      slot.giveBack();
    });
    first.giveBack();
    await Promise.all(all);
    const large = served.flatMap((caller, at) => (caller === "large" ? [at] : []));
    // A hundred small ones cost as much as one large one.
    expect(large).toEqual([0, 101, 152]);
  });

  test("counts what was computed, not what was announced", async () => {
    const { enter } = lineOf(1, 8);
    const served: string[] = [];
    const cached = await enter("agent", 4_000);
    const waiting = ["agent", "other", "other"].map(async (caller) => {
      const slot = await enter(caller, 100);
      served.push(caller);
      slot.cost(100);
      slot.giveBack();
    });
    cached.cost(20);
    cached.giveBack();
    await Promise.all(waiting);
    expect(served).toEqual(["other", "agent", "other"]);
  });

  test("a request that never got to compute gives back what was reserved for it", async () => {
    const { enter, arrive } = lineOf(1, 8);
    const served: string[] = [];
    const busy = await enter("a", 0);
    const leaver = new AbortController();
    const left = arrive("a").enter(5_000, leaver.signal);
    const dropped = enter("a", 5_000);
    const others = ["b", "a"].map(async (caller) => {
      const slot = await enter(caller, 50);
      served.push(caller);
      slot.giveBack();
    });
    leaver.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    busy.giveBack();
    // Its worker died before it began.
    const slot = await dropped;
    slot.cost(0);
    slot.giveBack();
    await Promise.all(others);
    expect(served).toEqual(["a", "b"]);
  });

  test("lets somebody leave without losing a place", async () => {
    const { enter, arrive, line } = lineOf(1, 8);
    const first = await enter("a");
    const leaver = new AbortController();
    const place = arrive("b");
    const left = place.enter(10, leaver.signal);
    const last = enter("c");
    leaver.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    place.leave();
    expect(line.view().map(({ caller }) => caller)).toEqual(["c"]);
    first.giveBack();
    expect(await last).toBeTypeOf("object");
  });

  test("giving a slot back twice frees it once", async () => {
    const { enter, arrive } = lineOf(1, 8);
    const first = await enter("a");
    first.giveBack();
    first.giveBack();
    await enter("b");
    expect(arrive("b").position(10)).toBe(1);
  });

  test("a request that must be prepared again keeps its place", async () => {
    const { enter, arrive } = lineOf(1, 8);
    const served: string[] = [];
    const again = arrive("a");
    const slot = await again.enter(10, never);
    const later = enter("a").then((own) => {
      served.push("later");
      own.giveBack();
    });
    const blocking = slot;
    const returned = again.enter(10, never).then((own) => {
      served.push("again");
      own.giveBack();
    });
    blocking.giveBack();
    await Promise.all([later, returned]);
    expect(served).toEqual(["again", "later"]);
  });

  test("tells which callers wait, when that changes", async () => {
    const { enter, told } = lineOf(1, 8);
    const first = await enter("a");
    const second = enter("b");
    const third = enter("b");
    first.giveBack();
    (await second).giveBack();
    await third;
    expect(told).toEqual([["b"], []]);
  });
});

describe("the bound", () => {
  test("counts requests that are still being prepared", () => {
    const { arrive } = lineOf(2, 3);
    const places = [1, 2, 3, 4, 5].map(() => arrive("a"));
    expect(refusalOf(() => arrive("a"))).toMatchObject({ code: "queue_full", retryAfterSeconds: 5 });
    places[0]?.leave();
    expect(arrive("a").position(10)).toBe(0);
  });

  test("refuses with the time to come back", async () => {
    const { enter, arrive, clock } = lineOf(1, 1);
    const first = await enter("a");
    clock.advance(8_000);
    first.giveBack();
    await enter("a");
    void enter("a");
    const refusal = refusalOf(() => arrive("a"));
    expect(refusal).toMatchObject({ code: "queue_full", retryAfterSeconds: 8 });
    expect(refusal.message).toBe('"m" is full: 1 requests are waiting.');
  });

  test("a caller that fills the line alone leaves the others their half", async () => {
    const { enter, arrive, line } = lineOf(1, 8);
    await enter("greedy");
    for (let count = 0; count < 8; count += 1) void enter("greedy");
    expect(refusalOf(() => arrive("greedy")).code).toBe("queue_full");
    for (let count = 0; count < 4; count += 1) void enter("late");
    expect(refusalOf(() => arrive("late")).code).toBe("queue_full");
    expect(refusalOf(() => arrive("third")).code).toBe("queue_full");
    expect(line.view().length).toBe(12);
    expect(
      line
        .view()
        .slice(0, 2)
        .map(({ caller }) => caller),
    ).toContain("late");
  });
});

describe("the expected wait", () => {
  test("is nothing that anybody could know before the first answer has ended", async () => {
    const { enter, line } = lineOf(1, 8);
    await enter("a");
    void enter("a");
    expect(line.view()).toMatchObject([{ position: 1, expectedMs: null }]);
  });

  test("follows from how long each caller holds a slot, and from how long they are held already", async () => {
    const { enter, line, clock } = lineOf(2, 8);
    const [long, short] = [await enter("long", 1), await enter("short", 1)];
    clock.advance(1_000);
    short.giveBack();
    clock.advance(9_000);
    long.giveBack();
    await enter("long", 1);
    await enter("short", 1);
    for (const caller of ["short", "short", "long"]) void enter(caller, 1);
    clock.advance(400);
    expect(line.view().map(({ caller, expectedMs }) => [caller, expectedMs])).toEqual([
      ["short", 600],
      ["long", 1_600],
      ["short", 9_600],
    ]);
  });
});
