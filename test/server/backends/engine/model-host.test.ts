import { describe, expect, test } from "vitest";
import { chooseContext, chooseOnePieceContext, chooseThreads } from "../../../../server/backends/engine/model-host.ts";

const mebibyte = 2 ** 20;

describe("what nobody asked for is chosen", () => {
  test("threads: one for a tiny model, a core left to HTTP on a machine that has more than two", () => {
    expect(chooseThreads(3 * mebibyte, 16)).toBe(1);
    expect(chooseThreads(400 * mebibyte, 2)).toBe(2);
    expect(chooseThreads(400 * mebibyte, 16)).toBe(15);
  });

  test("context: what the model was trained for, within what a desktop has memory for", () => {
    expect(chooseContext(null, 4_096, 4_000 * mebibyte)).toBe(4_096);
    expect(chooseContext(null, 131_072, 4_000 * mebibyte)).toBe(8_192);
    expect(chooseContext(null, 131_072, 3 * mebibyte)).toBe(32_768);
    expect(chooseContext(65_536, 32_768, 4_000 * mebibyte)).toBe(65_536);
  });

  test("context of what is computed in one step: never past what was trained, within a gibibyte of outputs", () => {
    expect(chooseOnePieceContext(null, 512, 30_522)).toBe(512);
    expect(chooseOnePieceContext(null, 32_768, 30_522)).toBe(8_192);
    expect(chooseOnePieceContext(null, 8_192, 250_002)).toBe(1_073);
    expect(chooseOnePieceContext(4_096, 8_192, 250_002)).toBe(4_096);
    expect(chooseOnePieceContext(4_096, 512, 30_522)).toBe(512);
  });
});
