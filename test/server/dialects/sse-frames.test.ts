/** Frames out of bytes: the same however they were cut and whatever harmless things stand between them. */
import { describe, expect, test } from "vitest";
import type { UpstreamFrame } from "../../../server/dialects/called.ts";
import { createFrameReader } from "../../../server/dialects/sse-frames.ts";

const wanted: UpstreamFrame[] = [
  { event: null, data: '{"text":"Grüße, 灯台 🏮"}' },
  { event: "ping", data: "{}" },
  { event: null, data: "one\ntwo" },
  { event: null, data: "[DONE]" },
];
const plain = [
  ": a comment",
  "",
  'data: {"text":"Grüße, 灯台 🏮"}',
  "",
  "event: ping",
  "id: 7",
  "data: {}",
  "",
  "data:one",
  "data:two",
  "",
  "retry: 10",
  "no field at all",
  "",
  "data: [DONE]",
  "",
  "",
].join("\n");

function framesOf(pieces: readonly (Uint8Array | string)[]): UpstreamFrame[] {
  const frames: UpstreamFrame[] = [];
  const reader = createFrameReader((frame) => frames.push(frame));
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return frames;
}

describe("S-24 frames of a stream", () => {
  test.each([
    ["LF", plain],
    ["CRLF", plain.replaceAll("\n", "\r\n")],
    ["CR", plain.replaceAll("\n", "\r")],
    ["a byte order mark", `\ufeff${plain}`],
  ])("with %s are the same at every cut and byte by byte", (_name, text) => {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(framesOf([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(wanted);
    }
    expect(framesOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(wanted);
  });

  test("text is taken as well as bytes", () => {
    expect(framesOf([plain.slice(0, 40), plain.slice(40)])).toEqual(wanted);
  });

  test.each([
    ["data: [DONE]", ["[DONE]"]],
    ["data: [DONE]\n", ["[DONE]"]],
    ['data: {"a":1}', ['{"a":1}']],
    ['data: {"a":1', []],
    ['data: {"a":{"b":2}\n', []],
    ["data: 12", []],
    ["", []],
  ])("%j at the end of the body leaves %j", (tail, left) => {
    expect(framesOf([tail]).map(({ data }) => data)).toEqual(left);
  });

  test("a frame above the limit is one failure, in one piece, in many, and over many lines", () => {
    const frames: UpstreamFrame[] = [];
    const reader = () => createFrameReader((frame) => frames.push(frame), { mostBytes: 1_000 });
    const tooMuch = expect.objectContaining({ code: "upstream_failed" });

    expect(() => reader().push(`data: ${"x".repeat(1_001)}\n\n`)).toThrow(tooMuch);
    const many = reader();
    expect(() => {
      for (let piece = 0; piece < 200; piece += 1) many.push("data: 12345");
    }).toThrow(tooMuch);
    expect(() => many.push("data: {}\n\n")).toThrow(tooMuch);
    const lines = reader();
    expect(() => {
      for (let line = 0; line < 300; line += 1) lines.push("data: 12345\n");
    }).toThrow(tooMuch);
    expect(frames).toEqual([]);
    reader().push(`data: ${"x".repeat(1_000)}\n\n`);
    expect(frames).toHaveLength(1);
  });
});
