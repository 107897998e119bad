/** What all bodies together may take, and the blocks in which one grows. */
import { expect, test } from "vitest";
import { createBodyBudget } from "../../../server/http/body-budget.ts";
import { GrowingBytes } from "../../../server/http/growing-bytes.ts";

const MiB = 1024 * 1024;

test("S-31 large bodies are refused past their pool, with a time to come back, and small ones still pass", () => {
  const budget = createBodyBudget(32 * MiB);
  const large = Array.from({ length: 4 }, () => budget.hold());
  for (const hold of large) hold.growTo(32 * MiB);
  const fifth = budget.hold();
  expect(() => fifth.growTo(32 * MiB)).toThrow(
    expect.objectContaining({
      code: "queue_full",
      retryAfterSeconds: 2,
      message: expect.stringMatching(/large bodies/),
    }),
  );
  const small = budget.hold();
  small.growTo(200 * 1024);
  large[0]?.release();
  fifth.growTo(32 * MiB);
  for (const hold of [...large, fifth, small]) hold.release();
  expect(budget.heldBytes).toBe(0);
});

test("S-31 small bodies have an end too, and a hold that shrinks or is refused keeps the books right", () => {
  const budget = createBodyBudget(MiB);
  const holds = Array.from({ length: 256 }, () => budget.hold());
  for (const hold of holds) hold.growTo(256 * 1024);
  const last = budget.hold();
  expect(() => last.growTo(1)).toThrow(expect.objectContaining({ code: "queue_full" }));
  expect(budget.heldBytes).toBe(64 * MiB);
  holds[0]?.growTo(0);
  last.growTo(1);
  expect(budget.heldBytes).toBe(64 * MiB - 256 * 1024 + 1);
});

test("bytes come back as they went in, whatever their pieces", () => {
  const whole = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7) % 251));
  for (const [announced, piece] of [
    [0, 1013],
    [3_000_000, 65_536],
    [100, 3_000_000],
  ] as const) {
    const totals: number[] = [];
    const bytes = new GrowingBytes(announced, (total) => void totals.push(total));
    for (let at = 0; at < whole.length; at += piece) bytes.append(whole.subarray(at, at + piece));
    expect(bytes.length).toBe(whole.length);
    expect(bytes.whole().equals(whole)).toBe(true);
    // Never more than one block ahead of what has arrived.
    expect(totals.at(-1)).toBeLessThanOrEqual(whole.length + MiB);
  }
  expect(new GrowingBytes(0, () => {}).whole()).toHaveLength(0);
});
