/** The rules of residency, case by case: who is let in, who waits, who leaves. */
import { describe, expect, test } from "vitest";
import type { Footprint } from "../../../../server/domain/fit/verdict.ts";
import { capacityOf } from "../../../../server/domain/residency/memory.ts";
import {
  emptyResidency,
  type ResidencyEvent,
  type ResidencyOrder,
  type ResidencyState,
} from "../../../../server/domain/residency/state.ts";
import { step } from "../../../../server/domain/residency/step.ts";

/** Models of one size each, in a machine with room for `room` of them. */
function machine(room: number, minimumStayMs = 0) {
  let state: ResidencyState = emptyResidency({ ramBytes: room, vramBytes: 0, totalBytes: room }, minimumStayMs);
  let nowMs = 0;
  let wakeAtMs: number | null = null;
  const happens = (event: ResidencyEvent): string[] => {
    const outcome = step(state, event, nowMs);
    state = outcome.state;
    wakeAtMs = outcome.wakeAtMs;
    return outcome.orders.map(words);
  };
  const of = (ramBytes: number): Footprint => ({ ramBytes, vramBytes: 0 });
  return {
    wakeAt: () => wakeAtMs,
    at: (ms: number) => {
      nowMs = ms;
      return happens({ type: "tick" });
    },
    add: (model: string, keepAliveMs: number | null = null, pinned = false) =>
      happens({ type: "added", model, keepAliveMs, pinned }),
    ask: (model: string, ticket: string, size = 1) => happens({ type: "asked", model, ticket, wish: of(size) }),
    preload: (model: string, size = 1) => happens({ type: "preload", model, wish: of(size) }),
    leave: (model: string, ticket: string) => happens({ type: "left", model, ticket }),
    loaded: (model: string) => happens({ type: "loaded", model }),
    failed: (model: string) => happens({ type: "failed", model }),
    gone: (model: string) => happens({ type: "gone", model }),
    unload: (model: string) => happens({ type: "unload", model }),
    remove: (model: string) => happens({ type: "removed", model }),
    pin: (model: string, pinned: boolean) => happens({ type: "pin", model, pinned }),
  };
}

/** `load a`, `unload a for b`, `grant 1`, `refuse 1: pinned`. */
function words(order: ResidencyOrder): string {
  if (order.type === "load") return `load ${order.model}`;
  if (order.type === "grant") return `grant ${order.ticket}`;
  if (order.type === "refuse") return `refuse ${order.ticket}: ${order.reason.type}`;
  return `unload ${order.model} ${order.reason.type === "room" ? `for ${order.reason.for}` : order.reason.type}`;
}

/** `a` is loaded and in use by ticket `a1`; `b` is known. */
function busyA(minimumStayMs = 0) {
  const box = machine(1, minimumStayMs);
  box.add("a");
  box.add("b");
  box.ask("a", "a1");
  box.loaded("a");
  return box;
}

test("a model is loaded once for all who ask meanwhile, and later ones are let in at once", () => {
  const box = machine(1);
  box.add("a");
  expect(box.ask("a", "1")).toEqual(["load a"]);
  expect(box.ask("a", "2")).toEqual([]);
  expect(box.loaded("a")).toEqual(["grant 1", "grant 2"]);
  expect(box.ask("a", "3")).toEqual(["grant 3"]);
});

describe("a swap", () => {
  test("S-20 waits for a busy model's users, and lets nobody new in to it, so that it comes", () => {
    const box = busyA();
    expect(box.ask("b", "b1")).toEqual([]);
    expect(box.ask("a", "a2")).toEqual([]);
    expect(box.leave("a", "a1")).toEqual(["unload a for b"]);
    expect(box.ask("b", "b2")).toEqual([]);
    expect(box.gone("a")).toEqual(["load b"]);
    expect(box.ask("b", "b3")).toEqual([]);
    expect(box.loaded("b")).toEqual(["grant b1", "grant b2", "grant b3"]);
    // Now it is the other's turn, and again nobody new is let in before it.
    expect(box.ask("b", "b4")).toEqual([]);
    box.leave("b", "b1");
    box.leave("b", "b2");
    expect(box.leave("b", "b3")).toEqual(["unload b for a"]);
    expect(box.gone("b")).toEqual(["load a"]);
    expect(box.loaded("a")).toEqual(["grant a2"]);
  });

  test("S-20 does not happen when whoever wanted it has left, and the busy model is open again", () => {
    const box = busyA();
    box.ask("b", "b1");
    box.ask("a", "a2");
    expect(box.leave("b", "b1")).toEqual(["grant a2"]);
    expect(box.leave("a", "a1")).toEqual([]);
  });

  test("who was kept out for a group that left is let in before a later group has the room", () => {
    const box = busyA();
    box.add("c");
    box.ask("b", "b1");
    box.ask("a", "a2");
    expect(box.ask("c", "c1")).toEqual([]);
    expect(box.leave("b", "b1")).toEqual(["grant a2"]);
    expect(box.ask("a", "a3")).toEqual([]);
    box.leave("a", "a1");
    expect(box.leave("a", "a2")).toEqual(["unload a for c"]);
  });

  test("S-20 a request that comes while its model is leaving has it back", () => {
    const box = busyA();
    box.leave("a", "a1");
    expect(box.unload("a")).toEqual(["unload a asked"]);
    expect(box.ask("a", "a2")).toEqual([]);
    expect(box.gone("a")).toEqual(["load a"]);
    expect(box.loaded("a")).toEqual(["grant a2"]);
  });

  test("takes the least recently used of the idle ones, and no more than are needed", () => {
    const box = machine(4);
    for (const model of ["old", "small", "new", "big"]) box.add(model);
    box.ask("old", "1", 2);
    box.loaded("old");
    box.leave("old", "1");
    box.at(10);
    for (const model of ["small", "new"]) {
      box.ask(model, model);
      box.loaded(model);
      box.leave(model, model);
      box.at(20);
    }
    expect(box.ask("big", "2", 2)).toEqual(["unload old for big"]);
    box.gone("old");
    box.loaded("big");
    // All three are idle or in use by one: the two small ones make room for another of their size, not the one in use.
    expect(box.ask("old", "3", 2)).toEqual(["unload small for old", "unload new for old"]);
  });

  test("one that came before, and is not what is needed, is spared", () => {
    const box = machine(4);
    for (const model of ["tiny", "large", "wanted"]) box.add(model);
    for (const [model, size] of [
      ["tiny", 1],
      ["large", 3],
    ] as const) {
      box.ask(model, model, size);
      box.loaded(model);
      box.leave(model, model);
      box.at(size * 10);
    }
    expect(box.ask("wanted", "1", 3)).toEqual(["unload large for wanted"]);
  });

  test("a group behind it that fits beside everything is not held up", () => {
    const box = machine(3);
    for (const model of ["a", "b", "c"]) box.add(model);
    box.ask("a", "a1", 2);
    box.loaded("a");
    expect(box.ask("b", "b1", 2)).toEqual([]);
    expect(box.ask("c", "c1", 1)).toEqual(["load c"]);
  });

  test("a group behind it that would take its room waits", () => {
    const box = machine(3);
    for (const model of ["a", "b", "c"]) box.add(model);
    box.ask("a", "a1", 2);
    box.loaded("a");
    expect(box.ask("b", "b1", 3)).toEqual([]);
    expect(box.ask("c", "c1", 1)).toEqual([]);
  });
});

describe("the minimum stay", () => {
  test("a model that was loaded for somebody serves on, also new requests, before it makes room", () => {
    const box = busyA(100);
    expect(box.ask("b", "b1")).toEqual([]);
    expect(box.wakeAt()).toBe(100);
    expect(box.ask("a", "a2")).toEqual(["grant a2"]);
    box.leave("a", "a1");
    expect(box.leave("a", "a2")).toEqual([]);
    expect(box.at(99)).toEqual([]);
    expect(box.at(100)).toEqual(["unload a for b"]);
  });

  test("does not hold for what nobody waited for", () => {
    const box = machine(1, 100);
    box.add("a");
    box.add("b");
    expect(box.preload("a")).toEqual(["load a"]);
    box.loaded("a");
    expect(box.ask("b", "b1")).toEqual(["unload a for b"]);
  });
});

describe("keep-alive", () => {
  test("a model leaves when nobody used it for so long, and not a moment earlier", () => {
    const box = machine(1);
    box.add("a", 50);
    box.ask("a", "1");
    box.loaded("a");
    expect(box.at(1_000)).toEqual([]);
    box.leave("a", "1");
    expect(box.wakeAt()).toBe(1_050);
    expect(box.at(1_049)).toEqual([]);
    expect(box.at(1_050)).toEqual(["unload a unused"]);
  });

  test("0 is at once, null is never, a pin is never", () => {
    const box = machine(3);
    box.add("a", 0);
    box.add("b", null);
    box.add("c", 0, true);
    for (const model of ["a", "b", "c"]) {
      box.ask(model, model);
      box.loaded(model);
    }
    expect(box.leave("a", "a")).toEqual(["unload a unused"]);
    expect(box.leave("b", "b")).toEqual([]);
    expect(box.leave("c", "c")).toEqual([]);
    expect(box.at(1e9)).toEqual([]);
    expect(box.pin("c", false)).toEqual(["unload c unused"]);
  });
});

describe("refusals", () => {
  test("what is larger than everything is refused at once", () => {
    const box = busyA();
    expect(box.ask("b", "b1", 2)).toEqual(["refuse b1: too-large"]);
  });

  test("a pin that leaves no room refuses, also those that waited when it was set", () => {
    const box = busyA();
    expect(box.ask("b", "b1")).toEqual([]);
    expect(box.pin("a", true)).toEqual(["refuse b1: pinned"]);
    expect(box.ask("b", "b2")).toEqual(["refuse b2: pinned"]);
    expect(box.pin("a", false)).toEqual([]);
    expect(box.ask("b", "b3")).toEqual([]);
  });

  test("a load that fails ends all who waited for it, and the next in line has the room", () => {
    const box = machine(1);
    box.add("a");
    box.add("b");
    box.ask("a", "a1");
    box.ask("a", "a2");
    expect(box.ask("b", "b1")).toEqual([]);
    expect(box.failed("a")).toEqual(["refuse a1: failed", "refuse a2: failed", "load b"]);
    expect(box.ask("a", "a3")).toEqual([]);
  });
});

test("when more is known of the machine, what waits may have room, and what is loaded stays", () => {
  let state = emptyResidency({ ramBytes: 1, vramBytes: 0, totalBytes: 1 }, 0);
  const happens = (event: ResidencyEvent) => {
    const outcome = step(state, event, 0);
    state = outcome.state;
    return outcome.orders.map(words);
  };
  const one = { ramBytes: 1, vramBytes: 0 };
  for (const model of ["a", "b"]) happens({ type: "added", model, keepAliveMs: null, pinned: false });
  happens({ type: "asked", model: "a", ticket: "a1", wish: one });
  happens({ type: "loaded", model: "a" });
  expect(happens({ type: "asked", model: "b", ticket: "b1", wish: one })).toEqual([]);
  const more = { ramBytes: 2, vramBytes: 0, totalBytes: 2 };
  expect(happens({ type: "capacity", capacity: more })).toEqual(["load b"]);
  expect(happens({ type: "capacity", capacity: { ...more, totalBytes: 1 } })).toEqual([]);
});

describe("preloading", () => {
  test("pushes nobody out", () => {
    const box = busyA();
    box.leave("a", "a1");
    expect(box.preload("b")).toEqual([]);
  });

  test("what nobody wants yet may be told to leave while it is loading, when somebody wants the room", () => {
    const box = machine(1);
    box.add("a");
    box.add("b");
    box.preload("a");
    expect(box.ask("b", "b1")).toEqual(["unload a for b"]);
    expect(box.loaded("a")).toEqual([]);
    expect(box.gone("a")).toEqual(["load b"]);
  });
});

describe("the admin", () => {
  test("unloads when the users are done; who comes meanwhile waits and has it back", () => {
    const box = busyA();
    expect(box.unload("a")).toEqual([]);
    expect(box.ask("a", "a2")).toEqual([]);
    expect(box.leave("a", "a1")).toEqual(["unload a asked"]);
    expect(box.gone("a")).toEqual(["load a"]);
  });

  test("may unload what is being loaded: those who wait for it are served first", () => {
    const box = machine(1);
    box.add("a");
    box.ask("a", "a1");
    expect(box.unload("a")).toEqual([]);
    expect(box.loaded("a")).toEqual(["grant a1"]);
    expect(box.leave("a", "a1")).toEqual(["unload a asked"]);
  });

  test("removes a model: its users finish, who waits is told, and it is forgotten", () => {
    const box = busyA();
    box.ask("b", "b1");
    expect(box.remove("b")).toEqual(["refuse b1: removed"]);
    expect(box.remove("a")).toEqual([]);
    expect(box.ask("a", "a2")).toEqual(["refuse a2: removed"]);
    expect(box.leave("a", "a1")).toEqual(["unload a removed"]);
    expect(box.gone("a")).toEqual([]);
    expect(box.ask("a", "a3")).toEqual(["refuse a3: removed"]);
  });
});

test("two pools: a model in the GPU's memory makes room by one that is there, not by one beside it", () => {
  let state = emptyResidency({ ramBytes: 10, vramBytes: 10, totalBytes: 20 }, 0);
  const happens = (event: ResidencyEvent) => {
    const outcome = step(state, event, 0);
    state = outcome.state;
    return outcome.orders.map(words);
  };
  const sizes = { cpu: [8, 0], gpu: [1, 8], next: [1, 8] } as const;
  for (const [model, [ramBytes, vramBytes]] of Object.entries(sizes)) {
    happens({ type: "added", model, keepAliveMs: null, pinned: false });
    const orders = happens({ type: "asked", model, ticket: model, wish: { ramBytes, vramBytes } });
    if (model === "next") expect(orders).toEqual(["unload gpu for next"]);
    happens({ type: "loaded", model });
    happens({ type: "left", model, ticket: model });
  }
});

test("what models may take: the free memory of the GPUs, nine tenths of the machine's, at most what is allowed", () => {
  const machineOf = { memoryTotalBytes: 100, memoryFreeBytes: 50, limitBytes: null };
  const gpu = { name: "card", totalBytes: 24, freeBytes: 22 };
  expect(capacityOf({ ...machineOf, gpus: [], unifiedMemory: false })).toEqual({
    ramBytes: 90,
    vramBytes: 0,
    totalBytes: 90,
  });
  expect(capacityOf({ ...machineOf, gpus: [gpu, gpu], unifiedMemory: false })).toMatchObject({
    vramBytes: 44,
    totalBytes: 134,
  });
  expect(capacityOf({ ...machineOf, gpus: [{ ...gpu, freeBytes: 70 }], unifiedMemory: true })).toEqual({
    ramBytes: 90,
    vramBytes: 70,
    totalBytes: 90,
  });
  expect(capacityOf({ ...machineOf, gpus: [gpu], unifiedMemory: false, limitBytes: 30 }).totalBytes).toBe(30);
});
