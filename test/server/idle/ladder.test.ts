/** The idle ladder: what comes next, when, and what puts it off. */
import { describe, expect, test } from "vitest";
import { countedDownloads } from "../../../server/idle/activity.ts";
import { createIdle, type IdleOptions } from "../../../server/idle/idle.ts";
import { type IdleFacts, ladder } from "../../../server/idle/ladder.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { silentLog } from "../../support/real-engine.ts";

const quiet: IdleFacts = { active: 0, quietSinceMs: 1_000, awakeUntilMs: null, done: false, unloadAtMs: null };
const exit = { whenIdle: "exit", afterMs: 500 } as const;

describe("the coming steps", () => {
  test("a model leaves, then the box stops; the sooner one first", () => {
    expect(ladder({ ...quiet, unloadAtMs: 1_200 }, exit)).toEqual([
      { step: "unload", atMs: 1_200 },
      { step: "exit", atMs: 1_500 },
    ]);
    expect(ladder({ ...quiet, unloadAtMs: 9_000 }, exit).map(({ step }) => step)).toEqual(["exit", "unload"]);
  });

  test("a box that stays only lets models go", () => {
    expect(ladder({ ...quiet, unloadAtMs: 1_200 }, { ...exit, whenIdle: "stay" })).toEqual([
      { step: "unload", atMs: 1_200 },
    ]);
  });

  test("nothing is planned while something is under way, or when it has happened", () => {
    expect(ladder({ ...quiet, active: 1 }, exit)).toEqual([]);
    expect(ladder({ ...quiet, done: true }, exit)).toEqual([]);
  });

  test("a wish to stay awake counts as activity: the time begins when it ends", () => {
    expect(ladder({ ...quiet, awakeUntilMs: 4_000 }, exit)).toEqual([{ step: "exit", atMs: 4_500 }]);
    expect(ladder({ ...quiet, awakeUntilMs: 200 }, exit)).toEqual([{ step: "exit", atMs: 1_500 }]);
  });
});

function idleBox(settings: Partial<IdleOptions["settings"]> = {}) {
  const clock = manualClock();
  const exits: string[] = [];
  const idle = createIdle({
    settings: { whenIdle: "exit", afterMs: 10_000, command: [], ...settings },
    clock,
    log: silentLog,
    nextUnloadMs: () => null,
    exit: (reason) => exits.push(reason),
  });
  return { clock, exits, idle };
}

describe("a box that ends when idle", () => {
  test("ends once, when nobody asked for so long", () => {
    const { clock, exits } = idleBox();
    clock.advance(9_999);
    expect(exits).toEqual([]);
    clock.advance(1);
    expect(exits).toEqual(["nobody asked for 10 s"]);
    clock.advance(60_000);
    expect(exits).toHaveLength(1);
  });

  test("a request cancels the countdown, and it begins again when the last one is over", () => {
    const { clock, exits, idle } = idleBox();
    clock.advance(9_000);
    const [first, second] = [idle.begin(), idle.begin()];
    expect(idle.view()).toEqual({ next: null, at: null, steps: [], awakeUntil: null });
    clock.advance(60_000);
    first();
    first();
    clock.advance(60_000);
    expect(exits).toEqual([]);
    second();
    expect(idle.view()).toMatchObject({ next: "exit", at: clock.now() + 10_000 });
    clock.advance(10_000);
    expect(exits).toHaveLength(1);
  });

  test("stays awake as long as somebody wants it to, and can be let go", () => {
    const { clock, exits, idle } = idleBox();
    const until = clock.now() + 60_000;
    idle.stayAwake(until);
    expect(idle.view()).toMatchObject({ next: "exit", at: until + 10_000, awakeUntil: until });
    clock.advance(69_999);
    expect(exits).toEqual([]);
    idle.stayAwake(null);
    expect(idle.view()).toMatchObject({ at: clock.now() + 10_000, awakeUntil: null });
    clock.advance(10_000);
    expect(exits).toHaveLength(1);
  });

  test("a rented machine ends its rental, and the process goes on until that is done", () => {
    const clock = manualClock();
    const ended: [string, string][] = [];
    const exits: string[] = [];
    const idle = createIdle({
      settings: { whenIdle: "destroy-rental", afterMs: 10_000, command: [] },
      ...{ clock, log: silentLog, nextUnloadMs: () => null },
      exit: (reason) => exits.push(reason),
      endRental: (deed, reason) => void ended.push([deed, reason]),
    });
    expect(idle.view()).toMatchObject({ next: "destroy-rental" });
    clock.advance(60_000);
    expect(ended).toEqual([["destroy", "nobody asked for 10 s"]]);
    expect(exits).toEqual([]);
  });

  test("does nothing when it is stopped", () => {
    const { clock, exits, idle } = idleBox();
    idle.stop();
    clock.advance(60_000);
    expect(exits).toEqual([]);
  });
});

test("a download keeps the box awake while it gets on, not while it stalls or is paused", () => {
  const { idle } = idleBox();
  const tell = countedDownloads(idle.begin);
  const next = (state: Parameters<typeof tell>[0]["state"]) => {
    tell({ id: "one", state });
    return idle.view().next;
  };
  expect(next("queued")).toBeNull();
  expect(next("downloading")).toBeNull();
  expect(next("stalled")).toBe("exit");
  expect(next("downloading")).toBeNull();
  expect(next("paused")).toBe("exit");
  expect(next("verifying")).toBeNull();
  expect(next("done")).toBe("exit");
});
