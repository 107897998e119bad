/**
 * The text of a journal: which bytes of a part file are safe. Pure.
 *
 * The first line says which file it is about; each further line is one range, written after its bytes had reached the disk.
 * A line that a crash cut short, or that the disk garbled, ends the reading: what it would have said is fetched again.
 */
import { type ByteRange, RangeSet } from "./ranges.ts";

/** What the bytes belong to. Another file under the same name starts from nothing. */
export interface FileIdentity {
  /** In hex. */
  readonly sha256: string;
  readonly bytes: number;
}

export function journalHead(identity: FileIdentity): string {
  const { sha256, bytes } = identity;
  return `${JSON.stringify({ lanthorn: "download", version: 1, sha256, bytes })}\n`;
}

/** The numbers twice, so that a line with a changed digit is not believed. */
export function journalLine({ start, end }: ByteRange): string {
  return `${start} ${end} ${start + end}\n`;
}

/** What is safe of this very file; empty when the journal is about another one, or is none. */
export function readJournal(text: string, identity: FileIdentity): RangeSet {
  const safe = new RangeSet();
  const lines = text.split("\n");
  if (`${lines[0]}\n` !== journalHead(identity)) return safe;
  // The last piece is what stands behind the last line end: nothing, or half a line.
  for (const line of lines.slice(1, -1)) {
    const match = /^(\d{1,16}) (\d{1,16}) (\d{1,17})$/.exec(line);
    const [start, end, sum] = (match ?? []).slice(1).map(Number);
    if (start === undefined || end === undefined || start + end !== sum) break;
    if (start >= end || end > identity.bytes) break;
    safe.add(start, end);
  }
  return safe;
}
