/** The human table of a bench. Pure: rows in, text out. */
import { type BenchRow, spread } from "./measure.ts";

const headings = ["what", "unit", "ours", "peer", "ours / peer", "target", "holds", "spread ours / peer"] as const;

export function table(rows: readonly BenchRow[]): string {
  const lines = [headings.map(String), ...rows.map(cells)];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function cells(row: BenchRow): string[] {
  const bound = row.better === "higher" ? ">=" : "<=";
  return [
    row.name,
    row.unit,
    figure(row.ours),
    row.peer === null ? "-" : figure(row.peer),
    row.ratio === null ? "-" : row.ratio.toFixed(2),
    row.target === null ? "-" : `${bound} ${row.target}`,
    row.holds === null ? "-" : row.holds ? "yes" : "NO",
    [row.samples.ours, row.samples.peer]
      .filter((samples) => samples.length > 0)
      .map((samples) => `${(spread(samples) * 100).toFixed(0)} %`)
      .join(" / "),
  ];
}

/** Three significant digits or whole numbers: more would claim what was not measured. */
function figure(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
