/**
 * Bytes of a body as they arrive, in blocks: a body of one-byte chunks costs no object for each of them, and a large one
 * is never copied while it grows. Pure; runs in the server.
 */
const firstBlockBytes = 64 * 1024;
const largestBlockBytes = 1024 * 1024;

export class GrowingBytes {
  readonly #blocks: Buffer[] = [];
  /** Bytes used of the last block. */
  #used = 0;
  #length = 0;
  #allocated = 0;
  readonly #announcedBytes: number;
  readonly #allow: (bytes: number) => void;

  /** `allow` hears of every total before it is allocated, and throws where that is too much. */
  constructor(announcedBytes: number, allow: (bytes: number) => void) {
    this.#announcedBytes = announcedBytes;
    this.#allow = allow;
  }

  get length(): number {
    return this.#length;
  }

  append(chunk: Buffer): void {
    let taken = 0;
    while (taken < chunk.length) {
      const block = this.#room();
      const copied = chunk.copy(block, this.#used, taken);
      this.#used += copied;
      this.#length += copied;
      taken += copied;
    }
  }

  /** The last block, with room for at least one byte. */
  #room(): Buffer {
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#used < last.length) return last;
    const wished = last === undefined ? Math.max(this.#announcedBytes, 1024) : this.#allocated;
    const bytes = Math.min(wished, last === undefined ? firstBlockBytes : largestBlockBytes);
    this.#allow(this.#allocated + bytes);
    const block = Buffer.allocUnsafe(bytes);
    this.#allocated += bytes;
    this.#blocks.push(block);
    this.#used = 0;
    return block;
  }

  /** All of it in one piece; a view where it is one already. Call once. */
  whole(): Buffer {
    const [first] = this.#blocks;
    if (first === undefined) return Buffer.alloc(0);
    return this.#blocks.length === 1 ? first.subarray(0, this.#used) : Buffer.concat(this.#blocks, this.#length);
  }
}
