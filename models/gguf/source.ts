/**
 * Bytes of a file, here or elsewhere, read forward in bounded pieces. Never asks for a byte past the end that the file had
 * when it was opened, and never past the header limit: both end with a reason instead. Runs in the server process and in
 * commands.
 */
import { Failure } from "../../server/domain/failure.ts";
import type { RandomBytes } from "./random-bytes.ts";

export class ByteSource {
  readonly fileBytes: number;
  readonly #bytes: RandomBytes;
  readonly #limitBytes: number;
  #pieceBytes: number;
  #piece: Buffer = Buffer.alloc(0);
  /** File position of the piece's first byte. */
  #pieceStart = 0;
  /** Next byte within the piece. */
  #next = 0;

  /** `limitBytes`: the furthest position that may be read. */
  constructor(bytes: RandomBytes, limitBytes: number) {
    this.#bytes = bytes;
    this.fileBytes = bytes.totalBytes;
    this.#limitBytes = limitBytes;
    this.#pieceBytes = bytes.firstPieceBytes;
  }

  get position(): number {
    return this.#pieceStart + this.#next;
  }

  get remainingBytes(): number {
    return this.fileBytes - this.position;
  }

  /** Whether `count` bytes can be taken without waiting. */
  has(count: number): boolean {
    return this.#next + count <= this.#piece.length;
  }

  /** Makes `count` bytes available, or throws a Failure. */
  async fill(count: number, what: string): Promise<void> {
    if (this.has(count)) return;
    this.demand(count, what);
    const start = this.position;
    const room = Math.max(count, Math.min(this.#pieceBytes, this.#limitBytes - start));
    const piece = Buffer.allocUnsafe(Math.min(room, this.fileBytes - start));
    const filled = await this.#bytes.read(piece, start);
    this.#pieceBytes = Math.min(2 * this.#pieceBytes, this.#bytes.mostPieceBytes);
    if (filled < count) throw truncated(what);
    this.#piece = piece.subarray(0, filled);
    this.#pieceStart = start;
    this.#next = 0;
  }

  /** Throws a Failure unless the file and the header limit have room for `count` more bytes. */
  demand(count: number, what: string): void {
    if (count > this.remainingBytes) throw truncated(what);
    if (this.position + count > this.#limitBytes) {
      throw new Failure("invalid_request", `the header is larger than ${this.#limitBytes >> 20} MiB (at ${what})`);
    }
  }

  /** Passes over `count` bytes without reading them. */
  skip(count: number, what: string): void {
    if (this.has(count)) {
      this.#next += count;
      return;
    }
    this.demand(count, what);
    this.#pieceStart = this.position + count;
    this.#piece = Buffer.alloc(0);
    this.#next = 0;
  }

  /** The next `count` bytes, which must be available. A view: valid until the next fill. */
  take(count: number): Buffer {
    const start = this.#next;
    this.#next += count;
    return this.#piece.subarray(start, this.#next);
  }

  takeUint32(): number {
    const value = this.#piece.readUInt32LE(this.#next);
    this.#next += 4;
    return value;
  }

  takeUint64(): bigint {
    const value = this.#piece.readBigUInt64LE(this.#next);
    this.#next += 8;
    return value;
  }
}

function truncated(what: string): Failure {
  return new Failure("invalid_request", `the file ends inside ${what}: it is truncated`);
}
