/**
 * Changes sections of `lanthorn.yaml` and leaves everything else as it stands there: comments, order, quotes. Runs in the
 * server and the CLI, on the request of an admin.
 */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { type Document, isMap, parseDocument } from "yaml";
import { Failure } from "../domain/failure.ts";
import { readConfigFile } from "./file.ts";

/**
 * Sets what stands at a path (`["providers", "openai"]`), or takes it away (`undefined`). The file is replaced in one step, and
 * only when the result can be read. Throws Failure `cannot_start` that names what is wrong with it.
 */
export function writeSetting(file: string, path: readonly string[], value: unknown): void {
  writeSettings(file, [{ path, value }]);
}

/** Several at once: the file has all of them or none. Throws as `writeSetting`. */
export function writeSettings(
  file: string,
  changes: readonly { readonly path: readonly string[]; readonly value: unknown }[],
): void {
  const text = settingsText(file);
  const document = parseDocument(text ?? "");
  if (document.errors.length > 0) readConfigFile(file);
  for (const { path, value } of changes) put(document, path, value);
  const written =
    isMap(document.contents) && document.contents.items.length === 0 ? "" : document.toString({ lineWidth: 0 });
  const draft = `${file}.${process.pid}.new`;
  rmSync(draft, { force: true });
  try {
    const handle = openSync(draft, "wx", 0o600);
    try {
      writeSync(handle, written);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    readConfigFile(draft);
    // Whoever could read it before still can.
    if (text !== null) chmodSync(draft, statSync(file).mode & 0o777);
    renameSync(draft, file);
  } catch (cause) {
    rmSync(draft, { force: true });
    if (!(cause instanceof Failure))
      throw new Failure("cannot_start", `The settings in ${file} cannot be written.`, { cause });
    throw new Failure("cannot_start", cause.message.replaceAll(draft, file), {
      cause,
      ...(cause.why === null ? {} : { why: cause.why.replaceAll(draft, file) }),
      ...(cause.param === null ? {} : { param: cause.param }),
    });
  }
}

function put(document: Document, path: readonly string[], value: unknown): void {
  if (value !== undefined) {
    document.setIn(path, document.createNode(value));
    return;
  }
  document.deleteIn(path);
  // An empty section that only we put things into says nothing.
  const above = path.slice(0, -1);
  const section = document.getIn(above, true);
  if (above.length > 0 && isMap(section) && section.items.length === 0) document.deleteIn(above);
}

/** Null: there is no such file. Throws Failure `cannot_start`. */
export function settingsText(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null;
    throw new Failure("cannot_start", `The settings in ${file} cannot be read.`, { cause });
  }
}
