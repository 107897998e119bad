import { describe, expect, test } from "vitest";
import { TextStream } from "../../../../server/backends/engine/worker/text-stream.ts";

/** A tokenizer of single bytes: every character of more than one byte is cut. */
const bytes = (tokens: readonly number[]) => new TextDecoder().decode(Uint8Array.from(tokens));

function feed(text: string, stops: readonly string[]): { pieces: string[]; stop: string | null } {
  const stream = new TextStream(bytes, stops);
  const pieces: string[] = [];
  for (const byte of new TextEncoder().encode(text)) {
    const piece = stream.push(byte);
    if (piece.text !== "") pieces.push(piece.text);
    if (piece.stop !== null) return { pieces, stop: piece.stop };
  }
  const rest = stream.flush();
  if (rest !== "") pieces.push(rest);
  return { pieces, stop: null };
}

describe("text of an answer", () => {
  test("never shows half a character", () => {
    const { pieces } = feed("Café 🏮!", []);
    expect(pieces.join("")).toBe("Café 🏮!");
    expect(pieces.filter((piece) => piece.includes("\uFFFD"))).toEqual([]);
  });

  test("shows bytes that are no character, once it is clear that they are none", () => {
    const stream = new TextStream(bytes, []);
    const pieces = [0x80, 0x80, 0x80, 0x80].map((byte) => stream.push(byte).text);
    expect(pieces.join("")).toContain("\uFFFD");
  });

  test("ends before a stop string that is spread over tokens", () => {
    expect(feed("one two three", [" th"])).toEqual({ pieces: ["o", "n", "e", " tw", "o"], stop: " th" });
  });

  test("gives back what only began like a stop string", () => {
    const { pieces, stop } = feed("a </b> c", ["</answer>"]);
    expect(pieces.join("")).toBe("a </b> c");
    expect(stop).toBeNull();
  });

  test("ends at whichever stop string comes first in the text", () => {
    const { pieces, stop } = feed("abcdef", ["de", "bc"]);
    expect([pieces.join(""), stop]).toEqual(["a", "bc"]);
  });
});
