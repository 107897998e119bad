/** An export on its way to stdout: counted, and under `--json` turned from lines into one array. Pure, holds one line at most. */
import type { ExportFormat } from "../ledger/records.ts";
import { withUsd } from "./money-json.ts";

export interface ExportWriter {
  /** What to write for a chunk, which may end anywhere. */
  piece(chunk: string): string;
  /** What closes the whole. */
  end(): string;
  /** Lines so far, without a header. */
  rows(): number;
}

/** The text as it comes. A CSV line may contain line ends inside quotes, so rows are counted outside of them. */
export function createTextWriter(format: ExportFormat): ExportWriter {
  let lines = 0;
  let isQuoted = false;
  return {
    piece: (chunk) => {
      for (const character of chunk) {
        if (character === '"' && format !== "jsonl") isQuoted = !isQuoted;
        else if (character === "\n" && !isQuoted) lines += 1;
      }
      return chunk;
    },
    end: () => "",
    rows: () => (format === "jsonl" ? lines : Math.max(0, lines - 1)),
  };
}

/** JSON lines as one array, so that `--json` gives one value here too: `[]` for none. */
export function createArrayWriter(): ExportWriter {
  let rest = "";
  let rows = 0;
  return {
    piece: (chunk) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      return lines
        .map((line) => {
          rows += 1;
          return `${rows === 1 ? "[\n" : ",\n"}${JSON.stringify(withUsd(JSON.parse(line)))}`;
        })
        .join("");
    },
    end: () => (rows === 0 ? "[]\n" : "\n]\n"),
    rows: () => rows,
  };
}
