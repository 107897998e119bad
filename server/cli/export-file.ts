/**
 * An export on its way into a file: written beside it and given its name when it is whole, so that half an export is never taken for one.
 * Runs in the command's process.
 */
import { closeSync, existsSync, openSync, renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { CommandFailure } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import type { ExportWriter } from "./export-writer.ts";

/** Mode 0600: it names people. Throws exit 2 for a file that is there already, exit 1 for a place that cannot be written. */
export async function writeExportFile(
  path: string,
  chunks: AsyncIterable<string>,
  writer: ExportWriter,
): Promise<void> {
  const part = `${path}.part-${process.pid}`;
  refuseExisting(path);
  try {
    closeSync(openSync(part, "wx", 0o600));
  } catch (error) {
    throw cannotWrite(path, error);
  }
  const file = await open(part, "a");
  const write = async (text: string) => {
    await file.writeFile(text).catch((error: unknown) => {
      throw cannotWrite(path, error);
    });
  };
  try {
    for await (const chunk of chunks) await write(writer.piece(chunk));
    await write(writer.end());
    await file.sync();
    refuseExisting(path);
    renameSync(part, path);
  } finally {
    await file.close();
    rmSync(part, { force: true });
  }
}

function refuseExisting(path: string): void {
  if (!existsSync(path)) return;
  throw new CommandFailure(exitCodes.usage, "file_exists", `There is a file already: ${path}`, {
    why: "Nothing was written over it.",
    next: [`mv ${path} ${path}.before`],
  });
}

function cannotWrite(path: string, error: unknown): CommandFailure {
  return new CommandFailure(exitCodes.failed, "cannot_write", `The file cannot be written: ${path}`, {
    why: error instanceof Error ? error.message : String(error),
    next: [`ls -ld ${path}`],
    cause: error,
  });
}
