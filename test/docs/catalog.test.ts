/** docs/catalog.md says what the catalog's data says, line for line. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { figureRows, fileRows, noteRows, originRows } from "../support/catalog-page.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/catalog.md"), "utf8");

/** The rows of the table under a heading. */
function tableUnder(heading: string): string[] {
  const section = page.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return section.split("\n").filter((line) => line.startsWith("| `"));
}

test.each([
  ["The models", fileRows],
  ["Other names and notes", noteRows],
  ["Published figures", figureRows],
  ["Where they come from", originRows],
] as const)("the table of %s", (heading, rows) => {
  expect(tableUnder(heading)).toEqual(rows());
});
