import { describe, expect, test } from "vitest";
import { WaitingLine } from "../../../../server/backends/engine/waiting-line.ts";
import { manualClock } from "../../../support/manual-clock.ts";

const never = new AbortController().signal;

describe("the line for slots", () => {
  test("is first come, first served", async () => {
    const line = new WaitingLine("m", 1, 8, manualClock());
    const served: string[] = [];
    const first = await line.enter("ayo", never);
    const second = line.enter("lin", never).then((giveBack) => {
      served.push("lin");
      return giveBack;
    });
    const third = line.enter("mira", never).then((giveBack) => {
      served.push("mira");
      return giveBack;
    });
    expect(line.view().map(({ caller, position }) => [caller, position])).toEqual([
      ["lin", 1],
      ["mira", 2],
    ]);
    first();
    (await second)();
    (await third)();
    expect(served).toEqual(["lin", "mira"]);
    expect(line.nextPosition).toBe(0);
  });

  test("refuses past its bound, with the time to come back", async () => {
    const clock = manualClock();
    const line = new WaitingLine("m", 1, 1, clock);
    const first = await line.enter("a", never);
    clock.advance(8_000);
    first();
    await line.enter("b", never);
    void line.enter("c", never);
    expect(() => line.checkRoom()).toThrow(/"m" is full: 1 requests are waiting/);
    try {
      line.checkRoom();
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "queue_full", retryAfterSeconds: 8 });
    }
  });

  test("lets somebody leave without losing a place", async () => {
    const line = new WaitingLine("m", 1, 8, manualClock());
    const first = await line.enter("a", never);
    const leaver = new AbortController();
    const left = line.enter("b", leaver.signal);
    const last = line.enter("c", never);
    leaver.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    first();
    expect(await last).toBeTypeOf("function");
  });

  test("giving a slot back twice frees it once", async () => {
    const line = new WaitingLine("m", 1, 8, manualClock());
    const first = await line.enter("a", never);
    first();
    first();
    await line.enter("b", never);
    expect(line.nextPosition).toBe(1);
  });
});
