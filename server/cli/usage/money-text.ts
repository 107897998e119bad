/** `lanthorn usage savings`, `power` and `forecast` in words: figures, and bars that say which is how large. Pure. */
import { meteredNanos } from "../../domain/local-cost/meter.ts";
import type { Nanos } from "../../domain/money.ts";
import type { Cause } from "../../domain/savings/causes.ts";
import { fewestDays } from "../../domain/savings/forecast.ts";
import type {
  ForecastReport,
  MonthSavings,
  PowerReport,
  PowerTotals,
  SavingsReport,
} from "../../ledger/money-records.ts";
import { countText, durationText, nanosText, plural, tokensText, unknownMark } from "../format.ts";
import { factLines, tableText } from "../table.ts";
import { printable } from "../text.ts";

const causeWords: Readonly<Record<Cause, string>> = Object.freeze({
  local: "answered on this box",
  answerCache: "answers given again",
  routing: "cheaper targets",
  promptCache: "providers' prompt caches",
  tier: "batch and other tiers",
  billing: "billed beside list price",
  extra: "retries, drafts, failures",
  idle: "idle power, wear, rent",
});

const barWidth = 24;

/** `####----`: its length is the amount's share of the largest; dashes are money lost. */
export function bar(nanos: Nanos, largest: Nanos): string {
  if (largest === 0 || nanos === 0) return "";
  const length = Math.max(1, Math.round((Math.abs(nanos) / largest) * barWidth));
  return (nanos < 0 ? "-" : "#").repeat(length);
}

/** Several lines without a final newline, like everything here. */
export function savingsText(report: SavingsReport): string {
  const { baseline, months, total } = report;
  const name = printable(`${baseline.provider}/${baseline.model}`);
  const caching = baseline.cacheHits === "same" ? "the same cache hits" : "nothing cached";
  const head =
    `Against all of it on ${name} at its price of the day, asked once, with as many tokens and ${caching}. ` +
    "Idle power is in it; it says nothing about quality.";
  const table = tableText<MonthSavings>(
    [
      { title: "MONTH", of: ({ month, isWhole }) => (isWhole ? month : `${month} *`) },
      { title: "REQUESTS", of: ({ requests }) => countText(requests), align: "right" },
      { title: "BASELINE", of: ({ baselineNanos }) => nanosText(baselineNanos), align: "right" },
      { title: "ACTUAL", of: ({ actualNanos }) => nanosText(actualNanos), align: "right" },
      { title: "SAVED", of: ({ savedNanos }) => nanosText(savedNanos), align: "right" },
    ],
    months,
  );
  const largest = Math.max(...total.by.map(({ nanos }) => Math.abs(nanos)));
  const by = tableText(
    [
      { title: "SAVED BY", of: ({ cause }) => causeWords[cause] },
      { title: "USD", of: ({ nanos }) => nanosText(nanos), align: "right" },
      { title: "", of: ({ nanos }) => bar(nanos, largest) },
    ],
    total.by,
  );
  const sum = factLines([["together", nanosText(total.savedNanos)], ...unknownLines(total.unknown)]);
  const gone = months.every(({ isWhole }) => isWhole)
    ? []
    : ["* Of what is still kept: some requests of this month are gone (usage.keepDays)."];
  return [head, table, ...gone, by, sum, ...adviceText(report)].join("\n\n");
}

function unknownLines(unknown: SavingsReport["total"]["unknown"]): readonly (readonly [string, string])[] {
  if (unknown.requests === 0) return [];
  const why = [
    ...(unknown.noCost === 0 ? [] : [`${countText(unknown.noCost)} without a cost`]),
    ...(unknown.noBaseline === 0 ? [] : [`${countText(unknown.noBaseline)} without a price of the baseline`]),
  ];
  const known = unknown.knownNanos === 0 ? "" : `; ${nanosText(unknown.knownNanos)} of them is known`;
  return [["not compared", `${plural(unknown.requests, "request")}: ${why.join(", ")}${known}`]];
}

function adviceText({ months, adviceRule, localContext }: SavingsReport): readonly string[] {
  const rows = months.flatMap(({ month, advice }) => advice.map((one) => ({ month, ...one })));
  if (rows.length === 0) return [];
  const table = tableText(
    [
      { title: "COULD RUN HERE", of: (row) => row.task },
      { title: "MONTH", of: (row) => row.month },
      { title: "REQUESTS", of: (row) => countText(row.requests), align: "right" },
      { title: "PAID", of: (row) => nanosText(row.paidNanos), align: "right" },
      {
        title: "HERE",
        of: (row) => (row.localNanos === null ? unknownMark : nanosText(row.localNanos)),
        align: "right",
      },
    ],
    rows,
  );
  const seen = localContext.from === "seen" ? ", as much as was answered here before" : "";
  return [table, `${adviceRule} Room: ${tokensText(localContext.tokens)} tokens${seen}. Advice only, in no sum above.`];
}

export function powerText({ month, zone, total, days }: PowerReport): string {
  if (total.meteredMs + total.unknownMs === 0) {
    return `Nothing was metered in ${month}. Set power.pricePerKwh (and power.watts where no GPU says what it draws).`;
  }
  const metered = meteredNanos(total);
  const facts = factLines([
    ["Month", `${month} (${zone ?? "this machine's time zone"})`],
    ["Metered", `${nanosText(metered)}   ${kwhText(total.milliwattMs + total.baseMilliwattMs)}`],
    ["Of it", madeOf(total)],
    ...(total.unbookedNanos === 0
      ? []
      : [["Unbooked", `${nanosText(total.unbookedNanos)} used by requests without a known cost`] as const]),
    ...(total.unknownMs === 0 ? [] : [["Not known", `the power of ${durationText(total.unknownMs)}`] as const]),
  ]);
  const largest = Math.max(...days.map((day) => meteredNanos(day)));
  const table = tableText(
    [
      { title: "DAY", of: ({ day }) => day },
      { title: "REQUESTS", of: (day) => nanosText(day.usedNanos), align: "right" },
      { title: "LOADING", of: (day) => nanosText(day.loadNanos), align: "right" },
      { title: "IDLE", of: (day) => nanosText(day.idleNanos), align: "right" },
      { title: "METERED", of: (day) => nanosText(meteredNanos(day)), align: "right" },
      { title: "", of: (day) => bar(meteredNanos(day), largest) },
    ],
    days,
  );
  return [facts, table].join("\n\n");
}

function madeOf({ energyNanos, baseNanos, wearNanos, rentNanos }: PowerTotals): string {
  const parts = [
    ["energy", energyNanos],
    ["base load", baseNanos],
    ["wear", wearNanos],
    ["rent", rentNanos],
  ] as const;
  const there = parts.filter(([, nanos]) => nanos > 0);
  return there.length === 0 ? unknownMark : there.map(([word, nanos]) => `${word} ${nanosText(nanos)}`).join(", ");
}

/** Milliwatt-milliseconds → `1.24 kWh`. */
function kwhText(milliwattMs: number): string {
  return `${(milliwattMs / 3.6e12).toFixed(2)} kWh`;
}

export function forecastText(report: ForecastReport): string {
  const { month, spentNanos, idleNanos, expectedNanos, lowNanos, highNanos, days, unknownRequests } = report;
  const expected =
    expectedNanos === null
      ? `not yet: it takes ${fewestDays} whole days, and there are ${days}`
      : `${nanosText(expectedNanos)}, with 80 % between ${nanosText(lowNanos ?? 0)} and ${nanosText(highNanos ?? 0)}`;
  return [
    factLines([
      ["Spent", `${nanosText(spentNanos)} in ${month} so far, of it ${nanosText(idleNanos)} idle`],
      ["At its end", expected],
      ...(unknownRequests === 0
        ? []
        : [["Not in it", `${plural(unknownRequests, "request")} without a known cost`] as const]),
    ]),
    `${report.method} Based on ${plural(days, "day")}.`,
  ].join("\n\n");
}
