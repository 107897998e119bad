import { expect, test } from "vitest";
import { callerSpanHours, hourMs, reportParts } from "../../../server/ledger/spans.ts";

test("a time is made of few long sums in the middle, short ones towards the ends, and rows at the very ends", () => {
  const fromMs = 100.5 * hourMs;
  const toMs = 1000.25 * hourMs;
  expect(reportParts({ fromMs, toMs }, 0)).toEqual({
    pieces: [
      { hours: 1, first: 101, until: 120 },
      { hours: 24, first: 120, until: 384 },
      { hours: 384, first: 384, until: 768 },
      { hours: 24, first: 768, until: 984 },
      { hours: 1, first: 984, until: 1000 },
    ],
    covered: { fromMs: 101 * hourMs, untilMs: 1000 * hourMs },
    edges: [
      { fromMs, untilMs: 101 * hourMs },
      { fromMs: 1000 * hourMs, untilMs: toMs },
    ],
  });
});

test("within an hour only rows are read; without ends only the longest sums", () => {
  const [fromMs, toMs] = [10.25 * hourMs, 10.75 * hourMs];
  expect(reportParts({ fromMs, toMs }, 0)).toEqual({
    pieces: [],
    covered: null,
    edges: [{ fromMs, untilMs: toMs }],
  });
  expect(reportParts({}, 0).pieces.map(({ hours }) => hours)).toEqual([384]);
  expect(reportParts({}, 0).edges).toEqual([]);
  expect(reportParts({ fromMs: 5, toMs: 5 }, 0)).toEqual({ pieces: [], covered: null, edges: [] });
});

test("where rows are gone, a sum counts as a whole where it begins inside", () => {
  const [fromMs, toMs] = [10.25 * hourMs, 20.5 * hourMs];
  expect(reportParts({ fromMs, toMs }, 24 * hourMs)).toEqual({
    pieces: [{ hours: 1, first: 11, until: 21 }],
    covered: { fromMs: 11 * hourMs, untilMs: 21 * hourMs },
    edges: [],
  });
  const ofCaller = reportParts({ fromMs, toMs: 60 * hourMs }, 24 * hourMs, callerSpanHours);
  expect(ofCaller).toEqual({
    pieces: [{ hours: 24, first: 24, until: 48 }],
    covered: { fromMs: 24 * hourMs, untilMs: 48 * hourMs },
    edges: [{ fromMs: 48 * hourMs, untilMs: 60 * hourMs }],
  });
});
