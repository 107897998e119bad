import { expect, test } from "vitest";
import { callerSpanHours, hourMs, type ReportParts, reportParts, spanHours } from "../../../server/ledger/spans.ts";
import { seeded } from "../../support/random.ts";

test("a time is made of few sums, long ones less shorter ones where those are fewer, and rows at the very ends", () => {
  const fromMs = 100.5 * hourMs;
  const toMs = 1000.25 * hourMs;
  expect(reportParts({ fromMs, toMs }, 0, [1, 24, 384])).toEqual({
    pieces: [
      { sign: -1, hours: 24, first: 0, until: 96 },
      { sign: -1, hours: 1, first: 96, until: 101 },
      { sign: 1, hours: 384, first: 0, until: 1152 },
      { sign: -1, hours: 1, first: 1000, until: 1008 },
      { sign: -1, hours: 24, first: 1008, until: 1152 },
    ],
    covered: { fromMs: 101 * hourMs, untilMs: 1000 * hourMs },
    asked: { fromMs: 101 * hourMs, untilMs: 1000 * hourMs },
    edges: [
      { sign: 1, fromMs, untilMs: 101 * hourMs },
      { sign: 1, fromMs: 1000 * hourMs, untilMs: toMs },
    ],
  });
});

test("rows of the shorter part of an hour are read: taken off where that is the part that nobody asked for", () => {
  const [fromMs, toMs] = [10.2 * hourMs, 20.9 * hourMs];
  expect(reportParts({ fromMs, toMs }, 0)).toMatchObject({
    pieces: [
      { sign: 1, hours: 1, first: 10, until: 12 },
      { sign: 1, hours: 6, first: 12, until: 18 },
      { sign: 1, hours: 1, first: 18, until: 21 },
    ],
    covered: { fromMs: 10 * hourMs, untilMs: 21 * hourMs },
    // What is open is in no sum, and is looked for where it was asked for.
    asked: { fromMs, untilMs: toMs },
    edges: [
      { sign: -1, fromMs: 10 * hourMs, untilMs: fromMs },
      { sign: -1, fromMs: toMs, untilMs: 21 * hourMs },
    ],
  });
});

test("within an hour only rows are read; without ends only the longest sums", () => {
  const [fromMs, toMs] = [10.3 * hourMs, 10.6 * hourMs];
  expect(reportParts({ fromMs, toMs }, 0)).toMatchObject({
    pieces: [],
    covered: null,
    edges: [{ sign: 1, fromMs, untilMs: toMs }],
  });
  expect(reportParts({}, 0).pieces.map(({ hours }) => hours)).toEqual([1536]);
  expect(reportParts({}, 0).edges).toEqual([]);
  expect(reportParts({ fromMs: 5, toMs: 5 }, 0)).toMatchObject({ pieces: [], covered: null, edges: [] });
});

test("where rows are gone, a sum counts as a whole where it begins inside", () => {
  const [fromMs, toMs] = [10.25 * hourMs, 20.5 * hourMs];
  expect(reportParts({ fromMs, toMs }, 24 * hourMs)).toMatchObject({
    pieces: [
      { sign: 1, hours: 1, first: 11, until: 12 },
      { sign: 1, hours: 6, first: 12, until: 18 },
      { sign: 1, hours: 1, first: 18, until: 21 },
    ],
    covered: { fromMs: 11 * hourMs, untilMs: 21 * hourMs },
    edges: [],
  });
  const ofCaller = reportParts({ fromMs, toMs: 59 * hourMs }, 24 * hourMs, callerSpanHours);
  expect(ofCaller).toMatchObject({
    pieces: [{ sign: 1, hours: 24, first: 24, until: 48 }],
    covered: { fromMs: 24 * hourMs, untilMs: 48 * hourMs },
    edges: [{ sign: 1, fromMs: 48 * hourMs, untilMs: 59 * hourMs }],
  });
});

/** How often a moment is in the parts; longer sums have nothing from `rolledHour` on. */
function timesIn({ pieces, edges }: ReportParts, atMs: number, shortest: number, rolledHour: number): number {
  const isIn = (fromMs: number, untilMs: number) => fromMs <= atMs && atMs < untilMs;
  const untilOf = (hours: number, until: number) => (hours === shortest ? until : Math.min(until, rolledHour));
  return [
    ...pieces.map(({ sign, hours, first, until }) => (isIn(first * hourMs, untilOf(hours, until) * hourMs) ? sign : 0)),
    ...edges.map(({ sign, fromMs, untilMs }) => (isIn(fromMs, untilMs) ? sign : 0)),
  ].reduce<number>((sum, sign) => sum + sign, 0);
}

test.for([0, 3 * 24 + 5, 31 * 24 + 1, Number.POSITIVE_INFINITY])(
  "whatever is asked for is there once, and nothing else; rolled up until hour %d",
  (rolledHour) => {
    const random = seeded(11);
    const minuteMs = 60_000;
    for (let run = 0; run < 200; run += 1) {
      const one = random.below(60 * 24 * 60);
      const other = run % 3 === 0 ? one + random.below(180) : random.below(60 * 24 * 60);
      const [fromMs, toMs] = [Math.min(one, other) * minuteMs, Math.max(one, other) * minuteMs];
      for (const [spans, rolled] of [
        [spanHours, rolledHour],
        [callerSpanHours, Number.POSITIVE_INFINITY],
      ] as const) {
        const parts = reportParts({ fromMs, toMs }, 0, spans, rolled);
        for (const end of [
          fromMs,
          toMs,
          Number.isFinite(rolled) ? rolled * hourMs : 0,
          random.below(60) * 24 * hourMs,
        ]) {
          for (const beside of [-61, -1, 0, 1, 61]) {
            const atMs = end + beside * minuteMs;
            const times = fromMs <= atMs && atMs < toMs ? 1 : 0;
            if (atMs >= 0) expect([atMs, timesIn(parts, atMs, spans[0], rolled)]).toEqual([atMs, times]);
          }
        }
        const shortestMs = spans[0] * hourMs;
        for (const { fromMs: edgeFrom, untilMs } of parts.edges)
          expect(untilMs - edgeFrom).toBeLessThanOrEqual(parts.covered === null ? 2 * shortestMs : shortestMs / 2);
      }
    }
  },
);

test("sixty days are few sums, wherever they begin and end", () => {
  const random = seeded(12);
  for (let run = 0; run < 400; run += 1) {
    const first = random.below(400 * 24);
    const counted = (spans: readonly number[]) =>
      reportParts({ fromMs: first * hourMs, toMs: (first + 60 * 24) * hourMs }, 0, spans).pieces.reduce(
        (sum, { hours, first: from, until }) => sum + (until - from) / hours,
        0,
      );
    // At either end half of the shorter ones that make up a longer one, and of 16 days four at most between them.
    expect(counted(spanHours)).toBeLessThanOrEqual(4 + 2 * (3 + 2 + 2 + 2));
    expect(counted(callerSpanHours)).toBeLessThanOrEqual(4 + 2 * 8);
  }
});
