import { describe, expect, it } from "vitest";
import { age, contextTokens, duration, exact, listed, memory, rate, tokens } from "../../renderer/format.ts";

describe("figures on the page", () => {
  it("writes tokens in full up to ten thousand, then short", () => {
    expect([0, 312, 1_204, 9_999, 41_220, 61_234_567].map(tokens)).toEqual([
      "0",
      "312",
      "1,204",
      "9,999",
      "41.2 K",
      "61.2 M",
    ]);
    expect(exact(61_234_567)).toBe("61,234,567");
  });

  it("takes K of a context as 1,024 and writes out what is not a whole number of them", () => {
    expect([65_536, 2_048, 1_024, 1_000, 2_050].map(contextTokens)).toEqual(["64 K", "2 K", "1 K", "1,000", "2,050"]);
  });

  it("gives rates one decimal below ten, and never 0 for what is not known", () => {
    expect([44.2, 9.94, 0.5, 1_834.4].map(rate)).toEqual(["44 tok/s", "9.9 tok/s", "0.5 tok/s", "1,834 tok/s"]);
    expect([null, Number.NaN, Number.POSITIVE_INFINITY].map(rate)).toEqual(["– tok/s", "– tok/s", "– tok/s"]);
  });

  it("changes the unit of a duration where the next one begins, never to 60 s or 1000 ms", () => {
    const written = [0, 840, 999.4, 999.5, 3_200, 59_949, 59_950, 64_000, 3_599_400, 7_800_000].map(duration);
    expect(written).toEqual([
      "0 ms",
      "840 ms",
      "999 ms",
      "1.0 s",
      "3.2 s",
      "59.9 s",
      "1 m 00 s",
      "1 m 04 s",
      "59 m 59 s",
      "2 h 10 m",
    ]);
    expect([-5, 400, 14_900, 64_000].map(age)).toEqual(["0 s", "0 s", "14 s", "1 m 04 s"]);
  });

  it("counts memory in binary units and lists names as people do", () => {
    expect([118 * 2 ** 20, 17.3 * 2 ** 30].map(memory)).toEqual(["118 MiB", "17.3 GiB"]);
    expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(listed)).toEqual(["", "a", "a and b", "a, b and c"]);
  });
});
