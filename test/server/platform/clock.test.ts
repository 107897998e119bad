import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { systemClock } from "../../../server/platform/clock.ts";

test("monotonic time moves on and never back", () => {
  const first = systemClock.monotonicMs();
  const second = systemClock.monotonicMs();
  expect(second).toBeGreaterThanOrEqual(first);
});

test("calls back no earlier than asked", async () => {
  const startMs = systemClock.monotonicMs();
  await new Promise<void>((resolve) => systemClock.after(20, resolve));
  expect(systemClock.monotonicMs() - startMs).toBeGreaterThanOrEqual(20);
});

test("a cancelled call never comes", async () => {
  const calls: string[] = [];
  const cancel = systemClock.after(1, () => calls.push("cancelled"));
  cancel();
  await new Promise<void>((resolve) => systemClock.after(20, resolve));
  expect(calls).toEqual([]);
});

test("a wait longer than a timer can hold does not fire at once", async () => {
  const calls: string[] = [];
  const cancel = systemClock.after(2 ** 31 + 1000, () => calls.push("too early"));
  await new Promise<void>((resolve) => systemClock.after(20, resolve));
  cancel();
  expect(calls).toEqual([]);
});

test("a pending time-out does not keep the process alive", () => {
  const clock = new URL("../../../server/platform/clock.ts", import.meta.url).href;
  const script = `import { systemClock } from ${JSON.stringify(clock)}; systemClock.after(60_000, () => {});`;
  const ended = spawnSync(process.execPath, ["--input-type=module", "-e", script], { timeout: 20_000 });
  expect(ended.status).toBe(0);
});
