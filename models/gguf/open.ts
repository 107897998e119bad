/**
 * Opens a model file without ever waiting on, or touching, something that is not a regular file: a named pipe would
 * block for ever and a device would never end. Runs in the server process.
 */
import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { Failure } from "../../server/domain/failure.ts";

export interface OpenModelFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  /** Epoch milliseconds. */
  readonly modifiedAtMs: number;
}

const reasonByErrorCode: Readonly<Record<string, string>> = Object.freeze({
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  ENAMETOOLONG: "there is no such file",
  EACCES: "it cannot be read: permission denied",
  EPERM: "it cannot be read: permission denied",
  ELOOP: "it is a link that leads to itself",
  EIO: "it cannot be read: the disk reports an error",
  // Node refuses a path with a zero byte before it asks the system.
  ERR_INVALID_ARG_VALUE: "there is no such file",
});

/** A file system error as a reason without the path; anything else stays what it was. */
function withoutPath(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || !("code" in thrown) || typeof thrown.code !== "string") return thrown;
  if (thrown instanceof Failure) return thrown;
  const reason = reasonByErrorCode[thrown.code] ?? `it cannot be read (${thrown.code})`;
  return new Failure("invalid_request", reason, { cause: thrown });
}

const notRegular = "it is not a regular file";

/** Opens, hands over, closes. Throws Failure `invalid_request`, whose reason does not name the file. */
export async function withModelFile<Result>(
  path: string,
  look: (file: OpenModelFile) => Promise<Result>,
): Promise<Result> {
  let handle: FileHandle | null = null;
  try {
    if (!(await stat(path)).isFile()) throw new Failure("invalid_request", notRegular);
    // Non-blocking, in case the file was exchanged for a pipe between the two lines.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const opened = await handle.stat();
    if (!opened.isFile()) throw new Failure("invalid_request", notRegular);
    return await look({ handle, sizeBytes: opened.size, modifiedAtMs: Math.round(opened.mtimeMs) });
  } catch (thrown) {
    throw withoutPath(thrown);
  } finally {
    await handle?.close();
  }
}
