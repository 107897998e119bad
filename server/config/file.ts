/**
 * Reads `lanthorn.yaml` and judges it, with the line of whatever is wrong. Runs in the server and the CLI.
 */
import { readFileSync } from "node:fs";
import { type Document, LineCounter, isMap, isNode, isScalar, parseDocument } from "yaml";
import { z } from "zod";
import { Failure } from "../domain/failure.ts";
import { closest } from "./closest.ts";
import { type Config, configSchema } from "./schema.ts";
import { pathInWords, wordsFor } from "./words.ts";

/** A settings file is a page or two; more is a mistake or an attack. */
const longestBytes = 256 * 1024;
/** A file may repeat its own parts this often, which stops a "billion laughs". */
const mostAliases = 100;

export interface ConfigFile {
  /** The complete settings: the file's, and defaults for the rest. */
  readonly values: Config;
  /** Names the file sets itself: `engine.threads`, `models`. */
  readonly has: (segments: readonly string[]) => boolean;
}

interface Place {
  readonly document: Document;
  readonly lines: LineCounter;
  readonly file: string;
}

function broken(file: string, line: number | null, why: string, param?: string): Failure {
  const where = line === null ? file : `${file}, line ${line}`;
  return new Failure("cannot_start", `The settings in ${where} cannot be used.`, {
    why,
    next: [`"$EDITOR" ${line === null ? "" : `+${line} `}"${file}"`],
    ...(param === undefined ? {} : { param }),
  });
}

function readText(file: string): string | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null;
    throw new Failure("cannot_start", `The settings in ${file} cannot be read.`, {
      cause,
      why: "The file is there, but this user may not read it.",
      next: [`chmod u+r ${file}`],
    });
  }
  if (bytes.length > longestBytes) throw broken(file, null, `The file is longer than ${longestBytes / 1024} KiB.`);
  return bytes.toString("utf8");
}

/** The line of the key (or, for list entries, of the value) at a path; the nearest one above it when there is none. */
function lineOf(place: Place, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const name = path[depth - 1];
    const parent = depth === 1 ? place.document.contents : place.document.getIn(path.slice(0, depth - 1), true);
    const pair = isMap(parent)
      ? parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(name))
      : undefined;
    const node = pair?.key ?? place.document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return place.lines.linePos(node.range[0]).line;
  }
  return 1;
}

/** Below defaults and short forms: the schema that judges the value itself. */
function bare(schema: unknown): unknown {
  let inner = schema;
  for (;;) {
    if (inner instanceof z.ZodPrefault || inner instanceof z.ZodDefault || inner instanceof z.ZodOptional) {
      inner = inner.unwrap();
    } else if (inner instanceof z.ZodPipe) inner = inner.in instanceof z.ZodTransform ? inner.out : inner.in;
    else return inner;
  }
}

/** The names a section knows, for "did you mean". */
function namesIn(path: readonly PropertyKey[]): readonly string[] {
  let schema = bare(configSchema);
  for (const segment of path) {
    if (schema instanceof z.ZodArray) schema = bare(schema.element);
    else if (schema instanceof z.ZodRecord) schema = bare(schema.valueType);
    else if (schema instanceof z.ZodObject) schema = bare(schema.shape[String(segment)]);
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function complaint(place: Place, issue: z.core.$ZodIssue): Failure {
  if (issue.code === "unrecognized_keys") {
    const unknown = issue.keys[0] ?? "";
    const path = [...issue.path, unknown];
    const known = namesIn(issue.path);
    const meant = closest(unknown, known);
    const hint = meant === null ? `Known here: ${known.join(", ")}.` : `Did you mean "${meant}"?`;
    const name = pathInWords(path);
    return broken(place.file, lineOf(place, path), `There is no setting "${name}". ${hint}`, name);
  }
  const name = pathInWords(issue.path);
  return broken(
    place.file,
    lineOf(place, issue.path),
    name === "" ? "The file must be a list of settings like `port: 4747`." : `${name} ${wordsFor(issue)}.`,
    name,
  );
}

function firstComplaint(place: Place, error: z.ZodError): Failure {
  const issue = error.issues[0];
  return issue === undefined ? broken(place.file, null, "The file cannot be understood.") : complaint(place, issue);
}

/** `engine:` with nothing below it, or with everything below it commented out, sets nothing. */
function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNothing);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([name, inner]) => [name, withoutNothing(inner)]),
  );
}

/** An absent file is an empty one. Throws Failure `cannot_start` that names file, line and setting. */
export function readConfigFile(file: string): ConfigFile {
  const text = readText(file);
  const lines = new LineCounter();
  const document = parseDocument(text ?? "", { lineCounter: lines, prettyErrors: false });
  const place: Place = { document, lines, file };
  const error = document.errors[0];
  if (error !== undefined) {
    const message = error.message.replace(/\s+/g, " ").replace(/\.?$/, ".");
    throw broken(file, lines.linePos(error.pos[0]).line, message);
  }
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: mostAliases });
  } catch {
    throw broken(file, null, "The file repeats its own parts too often.");
  }
  const parsed = configSchema.safeParse(withoutNothing(content ?? {}));
  if (!parsed.success) throw firstComplaint(place, parsed.error);
  return {
    values: parsed.data,
    has: (segments) => document.hasIn(segments) && document.getIn(segments) !== null,
  };
}
