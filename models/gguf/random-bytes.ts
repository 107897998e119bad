/**
 * Bytes that can be read at any place: those of a file here, or of one on another machine (`remote.ts`). Runs in the server
 * process and in commands.
 */
import type { FileHandle } from "node:fs/promises";

export interface RandomBytes {
  /** How many there are. */
  readonly totalBytes: number;
  /** How many are read at once at first, and at most: a piece grows as more is asked for. */
  readonly firstPieceBytes: number;
  readonly mostPieceBytes: number;
  /** Fills `target` with what lies at `position`; gives how many bytes, fewer only where the bytes end. */
  read(target: Uint8Array, position: number): Promise<number>;
}

const localPieceBytes = 1 << 20;

export function localBytes(handle: FileHandle, totalBytes: number): RandomBytes {
  return {
    totalBytes,
    firstPieceBytes: localPieceBytes,
    mostPieceBytes: localPieceBytes,
    read: async (target, position) => {
      let filled = 0;
      while (filled < target.length) {
        const { bytesRead } = await handle.read(target, filled, target.length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
  };
}
