/**
 * Names a model by what is in its file: a hash over its size, its whole header, and pieces spread evenly over the rest. Runs in
 * the server process, never in a request's way: a few milliseconds and at most some megabytes of reading, also for 20 GB.
 *
 * It tells models apart that somebody may mistake for each other. It is no proof against somebody who changes single weights on
 * purpose; that is what the full hash of a download is for.
 */
import { createHash, type Hash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type OpenModelFile, withModelFile } from "./gguf/open.ts";
import { readGgufHeader } from "./gguf/reader.ts";
import { allParts, splitNameOf } from "./split-name.ts";

const pieces = 64;
const pieceBytes = 64 * 1024;
/** How much is read at once. */
const readBytes = 1 << 20;

export interface ContentIds {
  /** 32 hexadecimal digits. Throws Failure `invalid_request` for what is no model. */
  of(path: string): Promise<string>;
}

/** Remembers what it has computed until the file has another size or time. */
export function createContentIds(): ContentIds {
  const known = new Map<string, { readonly stamp: string; readonly id: Promise<string> }>();
  return {
    of: async (path) => {
      const stamps = await Promise.all(partsOf(path).map(async (part) => stampOf(part)));
      const stamp = stamps.join();
      const before = known.get(path);
      if (before?.stamp === stamp) return before.id;
      const id = contentId(path);
      known.set(path, { stamp, id });
      id.catch(() => known.delete(path));
      return id;
    },
  };
}

/** All parts of a split model are one content. */
export async function contentId(path: string): Promise<string> {
  const hash = createHash("sha256");
  for (const part of partsOf(path)) {
    const { headerBytes } = await readGgufHeader(part);
    await withModelFile(part, (file) => addFile(hash, file, headerBytes));
  }
  return hash.digest("hex").slice(0, 32);
}

async function addFile(hash: Hash, file: OpenModelFile, headerBytes: number): Promise<void> {
  hash.update(`${file.sizeBytes} bytes, ${headerBytes} of them header\n`);
  await addRange(hash, file, 0, headerBytes);
  const dataBytes = file.sizeBytes - headerBytes;
  if (dataBytes <= pieces * pieceBytes) return addRange(hash, file, headerBytes, file.sizeBytes);
  for (let piece = 0; piece < pieces; piece += 1) {
    // The first begins behind the header, the last ends with the file.
    const from = headerBytes + Math.floor(((dataBytes - pieceBytes) * piece) / (pieces - 1));
    await addRange(hash, file, from, from + pieceBytes);
  }
}

async function addRange(hash: Hash, { handle }: OpenModelFile, from: number, to: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(readBytes, to - from));
  for (let at = from; at < to; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, to - at), at);
    if (bytesRead === 0) throw new Error("the file became shorter while it was read");
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

async function stampOf(path: string): Promise<string> {
  const { size, mtimeMs, ino } = await stat(path);
  return `${size}/${mtimeMs}/${ino}`;
}

/** Of a model whose first part, or whole file, this is. */
function partsOf(path: string): readonly string[] {
  const fileName = basename(path);
  if ((splitNameOf(fileName)?.part ?? 1) !== 1) return [path];
  return allParts(fileName).map((part) => join(dirname(path), part));
}
