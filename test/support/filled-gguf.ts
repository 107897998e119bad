/** A GGUF that is accepted and has as many bytes as a test wants, no two kilobytes of it alike. */
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { encodeGguf, smallModel } from "./gguf-bytes.ts";

const blockBytes = 1 << 20;
const stampBytes = 1 << 10;

export interface FilledFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** About `bytes` long, and at least a kilobyte. `seed` makes another content. */
export function writeFilledGguf(path: string, bytes: number, seed = 1): FilledFile {
  mkdirSync(dirname(path), { recursive: true });
  const values = Math.max(64, Math.floor((bytes - 1024) / 4));
  const filler = { name: "blk.0.filler.weight", dimensions: [BigInt(values)], type: 0, offset: 64n };
  const header = encodeGguf({ ...smallModel, tensors: [...smallModel.tensors, filler], dataBytes: 64 });
  const hash = createHash("sha256");
  const file = openSync(path, "w");
  const write = (piece: Uint8Array): void => {
    hash.update(piece);
    writeSync(file, piece);
  };
  write(header);
  const block = Buffer.alloc(blockBytes);
  for (let at = 0; at < blockBytes; at += 1) block[at] = (at * 2_654_435_761 + seed * 97) >>> 13;
  for (let written = 0; written < values * 4; written += blockBytes) {
    for (let at = 0; at < blockBytes; at += stampBytes) block.writeUInt32LE((written + at) >>> 0, at);
    write(block.subarray(0, Math.min(blockBytes, values * 4 - written)));
  }
  closeSync(file);
  return { path, bytes: header.length + values * 4, sha256: hash.digest("hex") };
}
