/** Whether an answer is right, as a task says. Pure; a task's command is run by `server/cli/route`. */
import { normalText, withoutFence } from "../routing/modes/agreement.ts";
import { parsedJson } from "../json-text.ts";
import { schemaProblem } from "./small-schema.ts";
import type { JsonSchema } from "../chat.ts";

export type Check =
  /** Equal as JSON, or as text without case, spacing and closing full stop. */
  | { readonly exact: string }
  | { readonly regex: string; readonly flags?: string | undefined }
  | { readonly schema: JsonSchema }
  /** A command and its arguments: the answer on its standard input, right when it exits with 0. */
  | { readonly command: readonly string[] };

/** Null: it is right; otherwise why not, in a few words. `command` is not judged here. */
export function wrongness(answer: string, check: Exclude<Check, { command: unknown }>): string | null {
  if ("exact" in check) return normalText(answer) === normalText(check.exact) ? null : "another answer";
  if ("regex" in check) return new RegExp(check.regex, check.flags ?? "u").test(answer) ? null : "does not match";
  const value = parsedJson(withoutFence(answer));
  if (value === undefined) return "no JSON";
  return schemaProblem(value, check.schema);
}
