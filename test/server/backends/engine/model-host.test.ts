import { describe, expect, test } from "vitest";
import { chooseContext, chooseThreads } from "../../../../server/backends/engine/model-host.ts";

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
});
