/**
 * A file on its way: its bytes in a `.part`, and beside it the journal of those that are safe. Runs in the server process
 * and in commands.
 *
 * Order is what makes it survive: bytes are written, brought to the disk (fdatasync), and only then named in the journal. A
 * killed process loses the bytes since the last such turn, about a mebibyte; a power cut loses no more, and never leaves a
 * range in the journal whose bytes are not there. While one turn is on its way the next one gathers, so a slow disk
 * makes larger turns and not a queue.
 */
import { constants, readFileSync, statSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { writeOwnerFile } from "../../server/platform/owner-file.ts";
import { type FileIdentity, journalHead, journalLine, readJournal } from "./journal.ts";
import { type ByteRange, RangeSet } from "./ranges.ts";

/** A turn begins when so much has gathered. Bytes. */
const turnBytes = 1 << 20;
/** A journal of a 20 GB file has some hundred kilobytes. */
const longestJournalBytes = 64 << 20;

export interface PartFile {
  readonly path: string;
  /** Written, safe or not: they need not be fetched again while this process lives. */
  readonly there: RangeSet;
  /** Writes what is not there yet, and says how many bytes that were. Throws what the file system throws. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Everything that was written is safe when it resolves. */
  settle(): Promise<void>;
  /** Settles and closes. The file and its journal stay. */
  close(): Promise<void>;
}

export async function openPartFile(path: string, identity: FileIdentity): Promise<PartFile> {
  const journalPath = journalOf(path);
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600);
  let journal: FileHandle | null = null;
  try {
    const { size } = await handle.stat();
    const safe = readJournal(journalText(path), identity);
    safe.clip(size);
    // Bytes that no journal vouches for are those of another file, or of a turn that was cut.
    if (safe.bytes === 0) await handle.truncate(0);
    writeOwnerFile(journalPath, journalHead(identity) + safe.ranges.map(journalLine).join(""));
    journal = await open(journalPath, constants.O_WRONLY | constants.O_APPEND);
    return partFile(path, handle, journal, safe);
  } catch (thrown) {
    await journal?.close();
    await handle.close();
    throw thrown;
  }
}

/** Both files gone, whether they were there or not. */
export async function removePartFile(path: string): Promise<void> {
  await rm(journalOf(path), { force: true });
  await rm(path, { force: true });
}

export function journalOf(path: string): string {
  return `${path}.journal`;
}

/** How much of it a new process need not fetch again. Looks, and opens nothing. */
export function safeBytesOf(path: string, identity: FileIdentity): number {
  try {
    const safe = readJournal(journalText(path), identity);
    safe.clip(statSync(path).size);
    return safe.bytes;
  } catch {
    return 0;
  }
}

function journalText(path: string): string {
  try {
    const text = readFileSync(journalOf(path), "utf8");
    return text.length > longestJournalBytes ? "" : text;
  } catch {
    return "";
  }
}

function partFile(path: string, handle: FileHandle, journal: FileHandle, safe: RangeSet): PartFile {
  const there = new RangeSet();
  /** There, or being written just now. No byte is ever written twice: it may have been hashed since. */
  const claimed = new RangeSet();
  for (const { start, end } of safe.ranges) {
    there.add(start, end);
    claimed.add(start, end);
  }
  let gathered: ByteRange[] = [];
  let gatheredBytes = 0;
  let turn: Promise<void> | null = null;
  let isClosed = false;
  /** A turn that failed: writing on would pretend that all is well. */
  let broken: { readonly thrown: unknown } | null = null;

  function gather(start: number, end: number): void {
    const last = gathered.at(-1);
    if (last?.end === start) gathered[gathered.length - 1] = { start: last.start, end };
    else gathered.push({ start, end });
    gatheredBytes += end - start;
  }

  function takeTurn(): Promise<void> {
    turn ??= (async () => {
      const ranges = gathered;
      gathered = [];
      gatheredBytes = 0;
      await handle.datasync();
      await journal.appendFile(ranges.map(journalLine).join(""));
    })()
      .catch((thrown: unknown) => {
        broken = { thrown };
      })
      .finally(() => {
        turn = null;
      });
    return turn;
  }

  const check = () => {
    if (broken !== null) throw broken.thrown;
  };

  async function writeAll(bytes: Uint8Array, position: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
      written += bytesWritten;
    }
  }

  async function settle(): Promise<void> {
    while ((turn !== null || gathered.length > 0) && broken === null) await takeTurn();
    check();
  }

  return {
    path,
    there,
    async write(bytes, position) {
      check();
      let fresh = 0;
      for (const { start, end } of claimed.missing(position + bytes.length, position)) {
        claimed.add(start, end);
        await writeAll(bytes.subarray(start - position, end - position), start);
        fresh += there.add(start, end);
        gather(start, end);
      }
      if (gatheredBytes >= turnBytes) void takeTurn();
      return fresh;
    },
    settle,
    async close() {
      if (isClosed) return;
      isClosed = true;
      try {
        await settle();
        await journal.datasync();
      } finally {
        await journal.close();
        await handle.close();
      }
    },
  };
}
