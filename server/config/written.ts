/** What `lanthorn.yaml` says word for word, before defaults and short forms. Runs in the server, for changing it. */
import { parseDocument } from "yaml";
import type { ResolvedConfig } from "./load.ts";
import { readConfigFile } from "./file.ts";
import { settingsText } from "./write.ts";

export interface WrittenSettings {
  /** Every character of the file; null: there is none. */
  readonly text: string | null;
  /** By alias. */
  readonly routes: Readonly<Record<string, unknown>>;
}

/** Throws Failure `cannot_start` for a file that cannot be used, naming the line. */
export function readWritten(file: string): WrittenSettings {
  readConfigFile(file);
  const text = settingsText(file);
  const content: unknown = parseDocument(text ?? "").toJS();
  const isSection = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  const routes = isSection(content) && isSection(content.routes) ? content.routes : {};
  return { text, routes };
}

/** What sets a section instead of the file: `the variable LANTHORN_ROUTES`. Null: the file, or nothing yet. */
export function fixedBy({ origins }: Pick<ResolvedConfig, "origins">, path: string): string | null {
  const origin = origins[path] ?? "default";
  if (origin === "default" || origin === "file") return null;
  return origin.replace(/^environment /u, "the variable ").replace(/^flag /u, "the flag ");
}
