/**
 * The lines of a file, one after the other and bounded in length. Runs in the server; reads and changes nothing else. Not
 * `node:readline`: that also ends a line at U+2028, which JSON texts may hold.
 */
import { createReadStream } from "node:fs";

export interface TextLine {
  /** Null: longer than `mostBytes`, or no UTF-8. */
  readonly text: string | null;
  /** From 1. */
  readonly number: number;
  /** Where the next line begins. */
  readonly endBytes: number;
  /** It ends with a line feed; only the last one may not. */
  readonly whole: boolean;
}

const lineFeed = 0x0a;

/** Throws what the file system throws. An empty rest behind the last line feed is no line. */
export async function* textLines(path: string, mostBytes: number): AsyncGenerator<TextLine, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let parts: Buffer[] = [];
  let lengthBytes = 0;
  let readBytes = 0;
  let number = 0;
  const take = (part: Buffer) => {
    lengthBytes += part.length;
    if (lengthBytes <= mostBytes) parts.push(part);
    else parts = [];
  };
  const line = (whole: boolean): TextLine => {
    number += 1;
    let text: string | null = null;
    if (lengthBytes <= mostBytes) {
      try {
        text = decoder.decode(Buffer.concat(parts));
      } catch {
        text = null;
      }
    }
    parts = [];
    lengthBytes = 0;
    return { text, number, endBytes: readBytes, whole };
  };
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(lineFeed); at !== -1; at = chunk.indexOf(lineFeed, from)) {
      take(chunk.subarray(from, at));
      readBytes += at + 1 - from;
      from = at + 1;
      yield line(true);
    }
    take(chunk.subarray(from));
    readBytes += chunk.length - from;
  }
  if (lengthBytes > 0) yield line(false);
}
