/** docs/planning.md says what the planner assumes, lists and finds. */
import { expect, test } from "vitest";
import { generatedMark, generatedPart, writtenPage } from "../support/planning-page.ts";

test("docs/planning.md is the planner's data (npm run planning:page writes it)", () => {
  const [, written] = writtenPage().split(generatedMark);
  expect(`${generatedMark}${written}`).toBe(`${generatedPart()}\n`);
});
