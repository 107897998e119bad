/**
 * Reads a setting that arrives as text, from an environment variable or a flag. Pure.
 */
import type { Leaf } from "./leaves.ts";
import { modelFieldsOf } from "./model-flag.ts";
import { pathInWords, wordsFor } from "./words.ts";

export type TextValue =
  | { readonly good: true; readonly value: unknown }
  | { readonly good: false; readonly problem: string };

function readJson(text: string): readonly unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [text];
  }
}

/** Settings that are lists or tables: JSON in a variable. */
const alwaysJson: ReadonlySet<string> = new Set([
  ...["prices", "providers", "routes", "cache.aliases", "tasks", "markets", "rentals"],
]);
/** Settings that are tables by name: JSON in a variable. */
const limitMaps: ReadonlySet<string> = new Set(["limits.persons", "limits.models", "limits.providers", "budgets.caps"]);

/** What a text may stand for, likeliest first; the setting's own type picks. */
function readings(text: string, leaf: Leaf): readonly unknown[] {
  if (alwaysJson.has(leaf.path)) return readJson(text);
  if (leaf.path === "models" || leaf.path === "hosts" || leaf.path === "idle.command") {
    if (text.startsWith("[")) return readJson(text);
    if (leaf.path === "models") return [[modelFieldsOf(text)]];
    // A program without arguments: where a word ends is a shell's business.
    if (leaf.path === "idle.command") return [[text]];
    return [
      text
        .split(",")
        .map((entry) => entry.trim())
        .filter((entry) => entry !== ""),
    ];
  }
  if (limitMaps.has(leaf.path) && text.startsWith("{")) {
    return readJson(text);
  }
  const asNumber = /^[+-]?\d+(\.\d+)?$/.test(text) ? [Number(text)] : [];
  const asBoolean = /^(true|false)$/i.test(text) ? [text.toLowerCase() === "true"] : [];
  return [...asNumber, ...asBoolean, text];
}

/**
 * A value that is no text is judged as it is. `hosts` is `a,b` or JSON; `idle.command` is one program or JSON; `models` is one model as `--model` takes it, or
 * several as JSON; `providers`, `routes`, `prices` and other tables are JSON.
 */
export function readTextValue(leaf: Leaf, raw: unknown): TextValue {
  let problem = "";
  for (const candidate of typeof raw === "string" ? readings(raw.trim(), leaf) : [raw]) {
    const parsed = leaf.schema.safeParse(candidate);
    if (parsed.success) return { good: true, value: parsed.data };
    const issue = parsed.error.issues[0];
    if (problem === "" && issue !== undefined) {
      const inside = pathInWords(issue.path).replace(/^(?=[^[])/, ".");
      problem = `${leaf.path}${issue.path.length > 0 ? inside : ""} ${wordsFor(issue)}`;
    }
  }
  return { good: false, problem };
}
