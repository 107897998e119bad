/** Figures as people read them. */
import { describe, expect, test } from "vitest";
import {
  agoText,
  bytesText,
  contextText,
  costText,
  countText,
  dateText,
  durationText,
  nanosText,
  plural,
  timeText,
  tokenRateText,
  tokensText,
} from "../../../server/cli/format.ts";
import { withUsd } from "../../../server/cli/money-json.ts";
import { usdOfNanos } from "../../../server/domain/decimal.ts";

test.each([
  [0, "0"],
  [999, "999"],
  [1204, "1,204"],
  [1_234_567, "1,234,567"],
])("count %d → %s", (count, text) => expect(countText(count)).toBe(text));

test.each([
  [1204, "1,204"],
  [9999, "9,999"],
  [41_220, "41.2 K"],
  [999_949, "999.9 K"],
  [999_950, "1.0 M"],
  [61_200_000, "61.2 M"],
])("tokens %d → %s", (tokens, text) => expect(tokensText(tokens)).toBe(text));

test.each([
  [65_536, "64 K"],
  [1024, "1 K"],
  [22_000, "22,000"],
  [512, "512"],
])("context %d → %s", (tokens, text) => expect(contextText(tokens)).toBe(text));

test.each([
  [512, "512 B"],
  [2_999_999, "2.9 MiB"],
  [485_490_000, "463 MiB"],
  [18_575_261_696, "17.3 GiB"],
])("bytes %d → %s", (bytes, text) => expect(bytesText(bytes)).toBe(text));

test.each([
  [0.4, "0 ms"],
  [840, "840 ms"],
  [999.6, "1.0 s"],
  [3200, "3.2 s"],
  [59_960, "1 m 00 s"],
  [64_000, "1 m 04 s"],
  [7_800_000, "2 h 10 m"],
  [273_600_000, "3 d 4 h"],
])("duration %d ms → %s", (ms, text) => expect(durationText(ms)).toBe(text));

test.each([
  [9.44, "9.4 tok/s"],
  [9.96, "10 tok/s"],
  [44.2, "44 tok/s"],
  [1800, "1.8 K tok/s"],
  [Number.NaN, "–"],
])("rate %d → %s", (rate, text) => expect(tokenRateText(rate)).toBe(text));

describe("money", () => {
  test.each([
    [0, "$0"],
    [99_999, "<$0.0001"],
    [300_000, "$0.0003"],
    [11_900_000_000, "$11.90"],
    [-310_000_000, "-$0.3100"],
  ])("%d nanos → %s", (nanos, text) => expect(nanosText(nanos)).toBe(text));

  test("an unknown cost is words, never a number", () => {
    expect(costText({ known: false, reason: "not_priced" })).toBe("local: not yet priced");
    expect(costText({ known: true, nanos: 0, basis: "billed" })).toBe("$0");
  });

  test("the exact text loses nothing, however large or small", () => {
    expect(usdOfNanos(250)).toBe("0.000000250");
    expect(usdOfNanos(Number.MAX_SAFE_INTEGER)).toBe("9007199.254740991");
    expect(usdOfNanos(-1)).toBe("-0.000000001");
  });

  test("under --json every integer amount has its exact text beside it", () => {
    expect(
      withUsd({ cost: { known: true, nanos: 250 }, rows: [{ heldNanos: 1_500_000_000 }, { costNanos: null }] }),
    ).toEqual({
      cost: { known: true, nanos: 250, usd: "0.000000250" },
      rows: [
        { heldNanos: 1_500_000_000, heldUsd: "1.500000000" },
        { costNanos: null, costUsd: null },
      ],
    });
  });
});

test("how long ago, until a date says more", () => {
  const nowMs = new Date(2026, 10, 20, 12).getTime();
  const minuteMs = 60_000;
  expect(agoText(null, nowMs)).toBe("never");
  expect(agoText(nowMs - 5000, nowMs)).toBe("now");
  expect(agoText(nowMs - 4 * minuteMs, nowMs)).toBe("4 m ago");
  expect(agoText(nowMs - 3 * 60 * minuteMs, nowMs)).toBe("3 h ago");
  expect(agoText(nowMs - 12 * 24 * 60 * minuteMs, nowMs)).toBe("12 d ago");
  expect(agoText(new Date(2026, 0, 12).getTime(), nowMs)).toBe("12 Jan 2026");
});

test("dates have the month in words", () => {
  const at = new Date(2027, 0, 12, 4, 2, 11).getTime();
  expect(dateText(at)).toBe("12 Jan 2027");
  expect(timeText(at)).toBe("12 Jan 2027 04:02:11");
});

test("one row, two rows", () => {
  expect(plural(1, "row")).toBe("1 row");
  expect(plural(18_204, "row")).toBe("18,204 rows");
  expect(plural(2, "entry", "entries")).toBe("2 entries");
});
