/**
 * Compressed bodies: which codings are read, and what unpacking one may cost. Runs in the server; the bytes flow through
 * `body.ts`, which bounds what comes out.
 */
import type { IncomingHttpHeaders } from "node:http";
import {
  type BrotliDecompress,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  type Gunzip,
  type Inflate,
  type ZstdDecompress,
} from "node:zlib";
import { Failure } from "../domain/failure.ts";

export type Unpacker = Gunzip | Inflate | BrotliDecompress | ZstdDecompress;

export interface Coding {
  readonly open: () => Unpacker;
  /** The most memory its window takes. */
  readonly windowBytes: number;
}

const gzip: Coding = Object.freeze({ open: () => createGunzip(), windowBytes: 64 * 1024 });

const codings: ReadonlyMap<string, Coding> = new Map([
  ["gzip", gzip],
  ["x-gzip", gzip],
  ["deflate", { open: () => createInflate(), windowBytes: 64 * 1024 }],
  ["br", { open: () => createBrotliDecompress(), windowBytes: 16 * 1024 * 1024 }],
  [
    "zstd",
    {
      // What RFC 9659 allows on the web; a frame may otherwise ask for 128 MiB before its first byte.
      open: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 23 } }),
      windowBytes: 8 * 1024 * 1024,
    },
  ],
]);

/** Null for a plain body. Throws Failure `unsupported_media_type` for an unknown coding, and for more than one. */
export function codingOf(headers: IncomingHttpHeaders): Coding | null {
  const named = headers["content-encoding"]?.trim().toLowerCase();
  if (named === undefined || named === "identity") return null;
  const coding = codings.get(named);
  if (coding !== undefined) return coding;
  throw new Failure(
    "unsupported_media_type",
    "The body must be sent plain, or with one 'content-encoding' of gzip, deflate, br or zstd.",
  );
}
