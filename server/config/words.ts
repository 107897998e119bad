/** Turns what zod found wrong with a value into one plain sentence piece. Pure. */
import type { z } from "zod";

/** `must be a number`, `must be one of "auto", "always"`: what follows the name of a setting. */
export function wordsFor(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${typeNames[issue.expected] ?? `of type ${issue.expected}`}`;
    case "invalid_value":
      return issue.values.length === 1
        ? `must be ${JSON.stringify(issue.values[0])}`
        : `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "too_small":
      return issue.origin === "string" && issue.minimum === 1
        ? "must not be empty"
        : `must be at least ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `must be at most ${issue.maximum}${unitOf(issue.origin)}`;
    case "invalid_key": {
      const why = issue.issues[0];
      return `is no name that can be used: it ${why === undefined ? "is not understood" : wordsFor(why)}`;
    }
    default:
      return issue.message;
  }
}

/** `["models", 0, "context"]` → `models[0].context`. */
export function pathInWords(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

const typeNames: Readonly<Record<string, string>> = Object.freeze({
  int: "a whole number",
  number: "a number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "a section with settings of its own",
});

function unitOf(origin: string): string {
  if (origin === "string") return " characters long";
  return origin === "array" ? " entries long" : "";
}
