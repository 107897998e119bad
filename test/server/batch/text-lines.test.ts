/** Lines of a file, whatever is in it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type TextLine, textLines } from "../../../server/batch/text-lines.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

async function linesOf(bytes: string | Buffer, most = 1_000_000) {
  const path = join(temporaryFolder(), "lines");
  writeFileSync(path, bytes);
  const lines: TextLine[] = [];
  for await (const line of textLines(path, most)) lines.push(line);
  return lines;
}

test("each has its number and its end, and only a line feed ends one", async () => {
  expect(await linesOf("a\u2028b\r\n\nlast")).toEqual([
    { text: "a\u2028b\r", number: 1, endBytes: 7, whole: true },
    { text: "", number: 2, endBytes: 8, whole: true },
    { text: "last", number: 3, endBytes: 12, whole: false },
  ]);
  expect(await linesOf("")).toEqual([]);
});

test("one that is too long, or no UTF-8, has no text, and the next one is read", async () => {
  const lines = await linesOf(
    Buffer.concat([Buffer.from(`${"x".repeat(200_000)}\n`), Buffer.from([0xff, 0x0a]), Buffer.from("ok\n")]),
    100_000,
  );
  expect(lines.map(({ text }) => text)).toEqual([null, null, "ok"]);
});

test("characters that lie across two pieces of the file stay whole", async () => {
  const long = "🏮".repeat(50_000);
  expect((await linesOf(`a${long}\nb`)).map(({ text }) => text)).toEqual([`a${long}`, "b"]);
});
