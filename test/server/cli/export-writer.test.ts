/** An export on its way to stdout. */
import { expect, test } from "vitest";
import { createArrayWriter, createTextWriter } from "../../../server/cli/export-writer.ts";

test("rows of CSV are counted without the header, and line ends inside quotes are not ends", () => {
  const writer = createTextWriter("csv");
  const pieces = ["id,name\r\n1,jonas\r\n2,", '"two\r\nli', 'nes ""x"""\r\n'];
  expect(pieces.map((piece) => writer.piece(piece)).join("") + writer.end()).toBe(pieces.join(""));
  expect(writer.rows()).toBe(2);
});

test("JSON lines become one array, however they were cut, with exact dollars", () => {
  const text = '{"id":"a","costNanos":250}\n{"id":"b","costNanos":null}\n';
  for (const size of [1, 7, text.length]) {
    const writer = createArrayWriter();
    let written = "";
    for (let at = 0; at < text.length; at += size) written += writer.piece(text.slice(at, at + size));
    expect(JSON.parse(written + writer.end())).toEqual([
      { id: "a", costNanos: 250, costUsd: "0.000000250" },
      { id: "b", costNanos: null, costUsd: null },
    ]);
    expect(writer.rows()).toBe(2);
  }
});

test("no rows are an empty array", () => {
  const writer = createArrayWriter();
  expect(JSON.parse(writer.piece("") + writer.end())).toEqual([]);
});
