/**
 * Turns what zod found wrong with a body into one Failure that names the field the way the client wrote it. Pure; shared
 * by the dialects; imports the domain only.
 */
import type { z } from "zod";
import { Failure } from "../domain/failure.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** Keys of a client's own maps can be any text; a `param` stays readable. */
const longestParam = 200;

/** `["messages", 2, "content"]` → `messages[2].content`. */
export function fieldName(path: Path): string {
  let name = "";
  for (const step of path) {
    if (typeof step === "number") name += `[${step}]`;
    else name += name === "" ? String(step) : `.${String(step)}`;
  }
  return name.slice(0, longestParam);
}

interface Found {
  readonly path: Path;
  readonly message: string;
}

/**
 * The issue worth telling. A union reports only "invalid" at its own place, so the alternative that got furthest into
 * the value speaks for it: that is the one the client meant.
 */
function tell(issue: Issue, above: Path): Found {
  const path = [...above, ...issue.path];
  const here: Found = { path, message: issue.message };
  if (issue.code !== "invalid_union") return here;
  let deepest: Found | null = null;
  for (const alternative of issue.errors) {
    const first = alternative[0];
    if (first === undefined) continue;
    const found = tell(first, path);
    if (found.path.length > path.length && (deepest === null || found.path.length > deepest.path.length)) {
      deepest = found;
    }
  }
  return deepest ?? here;
}

/** The Failure for a body a schema refused: `invalid_request` with `param`. */
export function fieldFailure(error: z.core.$ZodError): Failure {
  const first = error.issues[0];
  if (first === undefined) return new Failure("invalid_request", "The body is not valid.");
  const { path, message } = tell(first, []);
  if (path.length === 0) return new Failure("invalid_request", "The body must be a JSON object.");
  const param = fieldName(path);
  return badField(param, `Invalid value for '${param}': ${words(message)}.`);
}

/** A Failure about one field, in the same words. */
export function badField(param: string, message: string): Failure {
  return new Failure("invalid_request", message, { param });
}

/** zod's own words, made to follow a colon. */
function words(message: string): string {
  const said = message.replace(/^Invalid input: /, "");
  return said.charAt(0).toLowerCase() + said.slice(1);
}
