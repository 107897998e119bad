/** A file on its way: what a killed process, a cut journal or another file under the same name leave behind. */
import { appendFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { journalHead, journalLine, readJournal } from "../../../models/download/journal.ts";
import { journalOf, openPartFile, removePartFile, safeBytesOf } from "../../../models/download/part-file.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const mebibyte = 1 << 20;
const identity = { sha256: "a".repeat(64), bytes: 10 * mebibyte };
const bytes = (count: number, value: number) => new Uint8Array(count).fill(value);

describe("journal", () => {
  const text = (...lines: string[]) => journalHead(identity) + lines.join("");

  test("says what is safe of this file", () => {
    const safe = readJournal(text(journalLine({ start: 0, end: 5 }), journalLine({ start: 7, end: 9 })), identity);
    expect(safe.ranges).toEqual([
      { start: 0, end: 5 },
      { start: 7, end: 9 },
    ]);
  });

  test.each([
    ["a line that was cut", "7 90"],
    ["a line that was cut and looks like a whole one", "7 9 16"],
    ["a changed digit", "7 9 17\n"],
    ["zeros where the disk had nothing", "\0\0\0\0\n"],
    ["beyond the file's end", `7 ${identity.bytes + 1} ${identity.bytes + 8}\n`],
    ["a range the wrong way round", "9 7 16\n"],
    ["not numbers", "seven nine sixteen\n"],
  ])("%s ends the reading, and what came before stands", (_name, line) => {
    const safe = readJournal(
      text(journalLine({ start: 0, end: 5 }), line, journalLine({ start: 20, end: 30 })),
      identity,
    );
    expect(safe.ranges).toEqual([{ start: 0, end: 5 }]);
  });

  test.each([
    ["another hash", { ...identity, sha256: "b".repeat(64) }],
    ["another length", { ...identity, bytes: identity.bytes + 1 }],
  ])("of a file with %s it says nothing", (_name, other) => {
    expect(readJournal(text(journalLine({ start: 0, end: 5 })), other).bytes).toBe(0);
  });

  test("an empty or foreign text is no journal", () => {
    expect(readJournal("", identity).bytes).toBe(0);
    expect(readJournal("hello\n0 5 5\n", identity).bytes).toBe(0);
  });
});

describe("part file", () => {
  const place = () => join(temporaryFolder(), "x.part");

  test("what was settled is there for the next process, with mode 0600", async () => {
    const path = place();
    const first = await openPartFile(path, identity);
    await first.write(bytes(1000, 1), 0);
    await first.write(bytes(500, 2), 5000);
    await first.close();
    expect([statSync(path).mode & 0o777, statSync(journalOf(path)).mode & 0o777]).toEqual([0o600, 0o600]);
    expect(safeBytesOf(path, identity)).toBe(1500);
    const second = await openPartFile(path, identity);
    expect(second.there.missing(6000)).toEqual([
      { start: 1000, end: 5000 },
      { start: 5500, end: 6000 },
    ]);
    await second.close();
    await second.close();
  });

  test("bytes that no journal names are fetched again: the process died before their turn", async () => {
    const path = place();
    const first = await openPartFile(path, identity);
    await first.write(bytes(1000, 1), 0);
    // No settle: less than a turn has gathered.
    expect(readFileSync(journalOf(path), "utf8")).toBe(journalHead(identity));
    expect(safeBytesOf(path, identity)).toBe(0);
    await first.close();
  });

  test("a turn is taken by itself as soon as a mebibyte has gathered", async () => {
    const path = place();
    const file = await openPartFile(path, identity);
    await file.write(bytes(mebibyte, 1), 0);
    await expect.poll(() => safeBytesOf(path, identity)).toBe(mebibyte);
    await file.close();
  });

  test("ranges beyond a file that lost its end are not believed", async () => {
    const path = place();
    const first = await openPartFile(path, identity);
    await first.write(bytes(4000, 1), 0);
    await first.close();
    truncateSync(path, 1500);
    expect(safeBytesOf(path, identity)).toBe(1500);
    const second = await openPartFile(path, identity);
    expect(second.there.bytes).toBe(1500);
    await second.close();
  });

  test("another file under the same name begins from nothing", async () => {
    const path = place();
    const first = await openPartFile(path, identity);
    await first.write(bytes(4000, 1), 0);
    await first.close();
    const other = await openPartFile(path, { ...identity, sha256: "c".repeat(64) });
    expect(other.there.bytes).toBe(0);
    await other.close();
    expect(statSync(path).size).toBe(0);
  });

  test("no byte is written twice: it may have been hashed", async () => {
    const path = place();
    const file = await openPartFile(path, identity);
    expect(await file.write(bytes(1000, 1), 100)).toBe(1000);
    expect(await file.write(bytes(1400, 2), 0)).toBe(400);
    await file.close();
    const text = readFileSync(path);
    expect([text[0], text[99], text[100], text[1099], text[1100], text[1399]]).toEqual([2, 2, 1, 1, 2, 2]);
  });

  test("a journal full of rubbish costs only its bytes", async () => {
    const path = place();
    const first = await openPartFile(path, identity);
    await first.write(bytes(2000, 1), 0);
    await first.close();
    appendFileSync(journalOf(path), "\0\0\0garbage");
    expect(safeBytesOf(path, identity)).toBe(2000);
    writeFileSync(journalOf(path), "rubbish");
    expect(safeBytesOf(path, identity)).toBe(0);
    await removePartFile(path);
    expect([existsSync(path), existsSync(journalOf(path))]).toEqual([false, false]);
    await removePartFile(path);
  });
});
