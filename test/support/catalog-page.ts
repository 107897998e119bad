/** The tables of docs/catalog.md as the data gives them. */
import { catalog } from "../../models/catalog/catalog.ts";
import type { CatalogEntry } from "../../models/catalog/entry.ts";
import { bytesOfEntry, shapeOfEntry } from "../../models/catalog/entry-shape.ts";

const unknown = "–";

function countText(count: number): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function kvText(entry: CatalogEntry): string {
  const shape = shapeOfEntry(entry);
  if (shape === null) return unknown;
  const numbers = shape.layers.reduce((sum, layer) => sum + layer.keyWidth + layer.valueWidth, 0);
  return `${(numbers * 2) / 1024} KiB`;
}

/** One line per model: what is fetched and what it takes. */
export function fileRows(): string[] {
  return catalog.map((entry) =>
    row([
      `\`${entry.id}\``,
      entry.purposes.join(", "),
      entry.quantization,
      countText(bytesOfEntry(entry) ?? 0),
      countText(entry.contextLength),
      kvText(entry),
      entry.licence.restricted ? `**${entry.licence.id}**` : entry.licence.id,
    ]),
  );
}

/** One line per model: where it comes from. */
export function originRows(): string[] {
  return catalog.map((entry) =>
    row([
      `\`${entry.id}\``,
      `\`${entry.repository}\` ${entry.revision === null ? "(not pinned)" : `@ \`${entry.revision.slice(0, 12)}\``}`,
      entry.files
        .map(({ path, sha256 }) => `\`${path}\`, sha256 ${sha256 === null ? unknown : `\`${sha256.slice(0, 12)}…\``}`)
        .join("; "),
      (entry.sources ?? []).join("; "),
    ]),
  );
}

/** One line per published figure. */
export function figureRows(): string[] {
  return catalog.flatMap((entry) =>
    entry.figures.map(({ benchmark, value, unit, source, day }) =>
      row([`\`${entry.id}\``, benchmark, `${value}${unit === "percent" ? " %" : ""}`, source, day]),
    ),
  );
}

/** Other names, restricted licences and notes. */
export function noteRows(): string[] {
  return catalog.map((entry) =>
    row([
      `\`${entry.id}\``,
      entry.aliases.map((alias) => `\`${alias}\``).join(", "),
      [entry.note, entry.licence.restricted ? `Licence ${entry.licence.id}: ${entry.licence.note}` : null]
        .filter((text) => text !== null)
        .join(" ") || unknown,
    ]),
  );
}
