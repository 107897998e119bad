/**
 * The small file beside each saved state that says what it is: written last, read first. Pure but for zlib's checksum; runs in
 * worker processes. The engine loads changed bytes without a complaint, and the state of another model may end its process, so
 * nothing is handed to it that does not agree with this.
 */
import { crc32 } from "node:zlib";
import { z } from "zod";

/** Grows when the meaning of a field changes; what has another number is removed. */
const format = 1;

export interface StateHeader {
  /** Content id of the model. */
  readonly model: string;
  /** `stateShape`. */
  readonly shape: string;
  /** Sharing group. */
  readonly group: string;
  /** What the state is of. */
  readonly tokens: Uint32Array;
  /** Of the engine's file. */
  readonly bytes: number;
  readonly crc32: number;
}

const headerShape = z.object({
  format: z.literal(format),
  model: z.string(),
  shape: z.string(),
  group: z.string(),
  /** Base64 of little-endian 32-bit numbers. */
  tokens: z.base64(),
  tokensCrc32: z.number(),
  bytes: z.int().positive(),
  crc32: z.number(),
});

export function headerText({ tokens, ...rest }: StateHeader): string {
  const packed = bytesOf(tokens);
  return JSON.stringify({ format, ...rest, tokens: packed.toString("base64"), tokensCrc32: crc32(packed) });
}

/** Null: it is not one of this format, or was changed. */
export function readHeader(text: string): StateHeader | null {
  const parsed = headerShape.safeParse(parse(text));
  if (!parsed.success) return null;
  const { tokens, tokensCrc32, model, shape, group, bytes, crc32: sum } = parsed.data;
  const packed = Buffer.from(tokens, "base64");
  if (packed.length === 0 || packed.length % 4 !== 0 || crc32(packed) !== tokensCrc32) return null;
  // Copied, because a slice of Node's pool need not begin at a multiple of four.
  const aligned = new Uint8Array(packed);
  return { model, shape, group, tokens: new Uint32Array(aligned.buffer), bytes, crc32: sum };
}

function bytesOf(tokens: Uint32Array): Buffer {
  return Buffer.from(tokens.buffer, tokens.byteOffset, tokens.byteLength);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
