/** docs/prices.md says what the price book's data says, and where another table disagrees. */
import { expect, test } from "vitest";
import { generatedMark, generatedPart, writtenPage } from "../support/prices-page.ts";

test("docs/prices.md is the price book (npm run prices:page writes it)", () => {
  const [, written] = writtenPage().split(generatedMark);
  expect(`${generatedMark}${written}`).toBe(`${generatedPart()}\n`);
});
