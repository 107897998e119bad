/** The engine's own figures after real loads, against the arithmetic with nothing learnt. Needs 12 GiB of memory, no disk. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { differences, type FigureRow, figuresOf, figuresTable } from "../support/engine-figures.ts";
import { fitTable, tableCases, tableModels } from "../support/fit-table.ts";
import { hollowKinds, writeHollowKind } from "../support/hollow-kinds.ts";

function tooFarOff(rows: readonly FigureRow[], bound: number): string[] {
  const off = rows.filter((row) => Object.values(differences(row)).some((share) => Math.abs(share) >= bound));
  return off.map(({ model, contextLength, slots }) => `${model} ${contextLength} × ${slots}`);
}

test("weights, KV and compute each within 5 % for 0.5B, 1.5B and 7B, 2 K and 8 K, 1 and 4 slots", async () => {
  const rows = await fitTable(tableModels, tableCases);
  process.stdout.write(`${figuresTable(rows)}\n`);
  expect(tooFarOff(rows, 0.05)).toEqual([]);
});

test("mixtures of experts, windows, compressed attention, hybrids: KV and weights exact, compute within 15 %", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lanthorn-fit-"));
  const rows: FigureRow[] = [];
  try {
    for (const [name, kind] of Object.entries(hollowKinds)) {
      const path = join(folder, "model.gguf");
      await writeHollowKind(path, kind);
      for (const one of [
        { contextLength: 2_048, slots: 1 },
        { contextLength: 4_096, slots: 3 },
      ]) {
        rows.push(await figuresOf(name, path, one));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(`${figuresTable(rows)}\n`);
  expect(tooFarOff(rows, 0.15)).toEqual([]);
  for (const row of rows) {
    expect(Math.abs(differences(row).kv), `KV of ${row.model}`).toBeLessThan(0.001);
    expect(Math.abs(differences(row).weights), `weights of ${row.model}`).toBeLessThan(0.005);
  }
});
