/** Where an entry of `models:` stands in `lanthorn.yaml`, for sentences that say what to change. Runs in the CLI. */
import { readFileSync } from "node:fs";
import { isNode, LineCounter, parseDocument } from "yaml";

/** The line, counted from 1; null when the file has no such entry. Throws nothing: the settings were read before. */
export function modelLine(file: string, index: number): number | null {
  try {
    const lines = new LineCounter();
    const document = parseDocument(readFileSync(file, "utf8"), { lineCounter: lines });
    const node = document.getIn(["models", index], true);
    return isNode(node) && node.range ? lines.linePos(node.range[0]).line : null;
  } catch {
    return null;
  }
}
