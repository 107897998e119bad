/** Short prompts first, nobody for ever last, and never much more in hand than the process can do. */
import { expect, test } from "vitest";
import { nextPrompt } from "../../../../server/backends/engine/preparation/next-prompt.ts";

const prompt = (characters: number, passedOver = 0) => ({ characters, passedOver });

test("the shortest goes first, the earliest of equals", () => {
  expect(nextPrompt([prompt(90_000), prompt(100), prompt(100)], 0)).toBe(1);
  expect(nextPrompt([], 0)).toBe(-1);
});

test("small ones follow while the process is busy with small ones; a large one waits for its turn alone", () => {
  expect(nextPrompt([prompt(1_000)], 5_000)).toBe(0);
  expect(nextPrompt([prompt(90_000)], 5_000)).toBe(-1);
  expect(nextPrompt([prompt(90_000)], 0)).toBe(0);
  expect(nextPrompt([prompt(100)], 90_000)).toBe(-1);
});

test("one that was passed over sixteen times goes before shorter ones", () => {
  expect(nextPrompt([prompt(90_000, 15), prompt(10)], 0)).toBe(1);
  expect(nextPrompt([prompt(90_000, 16), prompt(10)], 0)).toBe(0);
  // And nothing is sent past it while it waits for the process to be free.
  expect(nextPrompt([prompt(90_000, 16), prompt(10)], 20)).toBe(-1);
});
