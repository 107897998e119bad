/** Plain tables: two spaces between columns, no lines, header in capitals. Pure. */
import { columnsOf, pad, printable } from "./text.ts";

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string;
  /** Figures stand at the right so that their digits line up. */
  readonly align?: "left" | "right";
}

/** The table without a final newline. Cells are made printable here, so that no caller can forget it. */
export function tableText<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.of(row))));
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...cells.map((line) => columnsOf(line[index] ?? ""))),
  );
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => pad(text, widths[index] ?? 0, columns[index]?.align === "right" ? "left" : "right"))
      .join("  ")
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...cells.map(line)].join("\n");
}

/** Lines of `word   text`, the words filled up to the same width. */
export function factLines(facts: readonly (readonly [word: string, text: string])[]): string {
  const width = Math.max(...facts.map(([word]) => word.length), 5);
  return facts.map(([word, text]) => `${pad(word, width)}   ${text}`.trimEnd()).join("\n");
}
