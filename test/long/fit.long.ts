/** The engine's own figures for the true shapes up to 7B, against the arithmetic with nothing learnt. Needs 12 GiB of memory. */
import { expect, test } from "vitest";
import { differences, figuresTable } from "../support/engine-figures.ts";
import { fitTable, tableCases, tableModels } from "../support/fit-table.ts";

test("weights, KV and compute each within 5 % for 0.5B, 1.5B and 7B, 2 K and 8 K, 1 and 4 slots", async () => {
  const rows = await fitTable(tableModels, tableCases);
  process.stdout.write(`${figuresTable(rows)}\n`);
  const off = rows.filter((row) => Object.values(differences(row)).some((share) => Math.abs(share) >= 0.05));
  expect(off.map(({ model, contextLength, slots }) => `${model} ${contextLength} × ${slots}`)).toEqual([]);
});
