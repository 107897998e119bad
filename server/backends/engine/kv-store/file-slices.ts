/**
 * Reading files to their end for a checksum or a copy, a slice per turn of the event loop. Runs in worker processes.
 *
 * The one thread of a worker's pool computes, and asynchronous reads would wait behind a whole step. While it computes the
 * thread of the event loop has nothing to do: a slice takes it half a millisecond, so no step is held up for longer.
 */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";

const sliceBytes = 2 ** 20;

export interface Sum {
  readonly bytes: number;
  readonly crc32: number;
}

/** One for all: it is filled and read within one turn. */
let slice: Buffer | null = null;

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A guard against bytes that were changed by accident; nobody but this user can write here. Throws what the file system throws. */
export function checksumOf(path: string): Promise<Sum> {
  return passOver(path, () => {});
}

/** Copies into a new file for its owner only, and gives the checksum of what was copied. */
export async function copyFile(from: string, to: string): Promise<Sum> {
  const target = openSync(to, "wx", 0o600);
  try {
    return await passOver(from, (bytes) => {
      for (let written = 0; written < bytes.length; ) written += writeSync(target, bytes, written);
    });
  } finally {
    closeSync(target);
  }
}

async function passOver(path: string, each: (bytes: Uint8Array) => void): Promise<Sum> {
  const file = openSync(path, "r");
  try {
    let sum: Sum = { bytes: 0, crc32: 0 };
    for (;;) {
      slice ??= Buffer.allocUnsafeSlow(sliceBytes);
      const read = readSync(file, slice, 0, sliceBytes, null);
      if (read === 0) return sum;
      const bytes = slice.subarray(0, read);
      sum = { bytes: sum.bytes + read, crc32: crc32(bytes, sum.crc32) };
      each(bytes);
      await nextTurn();
    }
  } finally {
    closeSync(file);
  }
}
