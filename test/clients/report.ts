/** The table: a line per client and case, and one that counts. */
import type { Outcome } from "./client.ts";

export function table(outcomes: readonly Outcome[]): string {
  const heads = ["client", "version", "case", "result", "seconds", "why"];
  const rows = outcomes.map(({ client, version, case: name, result, seconds, reason }) => {
    return [client, version, name, result, seconds.toFixed(1), reason.replaceAll(/\s+/g, " ").slice(0, 400)];
  });
  const widths = heads.map((head, column) => Math.max(...[heads, ...rows].map((row) => (row[column] ?? head).length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(heads), ...rows.map(line), "", closing(outcomes)].join("\n");
}

function closing(outcomes: readonly Outcome[]): string {
  const count = (result: Outcome["result"]) => outcomes.filter((one) => one.result === result).length;
  const clients = new Set(outcomes.map((one) => one.client)).size;
  return `${clients} clients: ${count("ok")} ok, ${count("failed")} failed, ${count("not applicable")} not applicable`;
}
