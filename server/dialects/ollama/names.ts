/**
 * Which served model an Ollama client means. Its clients add `:latest` to a name without a tag, and take it away again. Never
 * another model: only that one ending may differ. Pure.
 */
import type { ServedModel } from "../../domain/model.ts";

const latest = ":latest";

/** The alias it is served under; null: nobody serves it. */
export function servedName(asked: string, models: readonly Pick<ServedModel, "alias">[]): string | null {
  const other = asked.endsWith(latest) ? asked.slice(0, -latest.length) : `${asked}${latest}`;
  const found = models.find(({ alias }) => alias === asked) ?? models.find(({ alias }) => alias === other);
  return found?.alias ?? null;
}
