/**
 * `node test/support/fit-table.ts [--json] [0.5b 1.5b 7b]`: the table of estimate against the engine's own figures, on this
 * machine. The models are hollow: right headers over holes, no room on disk.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type HollowOptions, writeHollowModel } from "../../models/random/model.ts";
import { type ShapeName, shapes } from "../../models/random/shapes.ts";
import { type FigureRow, figuresOf, figuresTable, type LoadCase } from "./engine-figures.ts";

const q8 = 8;
const q4 = 12;

interface TableModel {
  readonly name: string;
  readonly shape: ShapeName;
  readonly options: HollowOptions;
}

export const tableModels: readonly TableModel[] = [
  { name: "0.5B F16", shape: "0.5b", options: {} },
  { name: "0.5B F16, tied", shape: "0.5b", options: { tied: true } },
  { name: "1.5B Q4_K", shape: "1.5b", options: { typeId: q4 } },
  { name: "1.5B Q8_0", shape: "1.5b", options: { typeId: q8 } },
  { name: "7B Q8_0", shape: "7b", options: { typeId: q8 } },
];

export const tableCases: readonly LoadCase[] = [
  { contextLength: 2_048, slots: 1 },
  { contextLength: 2_048, slots: 4 },
  { contextLength: 8_192, slots: 1 },
  { contextLength: 8_192, slots: 4 },
];

export async function fitTable(
  models: readonly TableModel[],
  cases: readonly LoadCase[],
  onRow: (row: FigureRow) => void = () => {},
): Promise<readonly FigureRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "lanthorn-fit-"));
  const rows: FigureRow[] = [];
  try {
    for (const model of models) {
      const path = join(folder, "model.gguf");
      await writeHollowModel(path, shapes[model.shape], model.options);
      for (const one of cases) {
        const row = await figuresOf(model.name, path, one);
        rows.push(row);
        onRow(row);
      }
      await rm(path);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return rows;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [json, wanted] = [process.argv.includes("--json"), process.argv.slice(2).filter((text) => text !== "--json")];
  const chosen = tableModels.filter(({ shape }) => wanted.length === 0 || wanted.includes(shape));
  const q8kv: LoadCase = { contextLength: 8_192, slots: 4, kv: "q8_0" };
  const rows = await fitTable(chosen, [...tableCases, q8kv], ({ model, contextLength, slots }) => {
    process.stderr.write(`${model}, ${contextLength} tokens, ${slots} slots\n`);
  });
  process.stdout.write(`${json ? JSON.stringify(rows, null, 1) : figuresTable(rows)}\n`);
}
