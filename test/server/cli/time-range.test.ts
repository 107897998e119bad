/** `--from` and `--to`. Days are this machine's own. */
import { expect, test } from "vitest";
import { readTimeRange } from "../../../server/cli/time-range.ts";

test("a day begins at its midnight, and as an end it is whole", () => {
  expect(readTimeRange("2026-11-01", "2026-11-30")).toEqual({
    fromMs: new Date(2026, 10, 1).getTime(),
    toMs: new Date(2026, 11, 1).getTime(),
  });
});

test("a moment is that moment, with or without a zone", () => {
  expect(readTimeRange("2026-11-01T14:00:30Z", undefined)).toEqual({ fromMs: Date.UTC(2026, 10, 1, 14, 0, 30) });
  expect(readTimeRange(undefined, "2026-11-01 14:00")).toEqual({ toMs: new Date(2026, 10, 1, 14).getTime() });
});

test("nothing given is everything", () => {
  expect(readTimeRange(undefined, undefined)).toEqual({});
});

test.each(["yesterday", "2026-11-31", "2026-13-01", "11/01/2026", "1790000000", ""])("%j is refused", (text) => {
  expect(() => readTimeRange(text, undefined)).toThrow(/--from is no time/u);
});

test("an end before its start is refused", () => {
  expect(() => readTimeRange("2026-11-02", "2026-11-01")).toThrow(/must lie before/u);
  expect(readTimeRange("2026-11-01", "2026-11-01")).toMatchObject({ fromMs: new Date(2026, 10, 1).getTime() });
});
