/** `lanthorn usage summary` in words. Pure. */
import type { Nanos } from "../domain/money.ts";
import type { TargetTotals, UsageSummary, UsageTotals } from "../ledger/records.ts";
import { countText, nanosText, plural, timeText, tokensText, unknownMark } from "./format.ts";
import { type Column, factLines, tableText } from "./table.ts";

/** Several lines without a final newline. `zone` is printed beside the times, because days depend on it. */
export function summaryText(summary: UsageSummary, zone: string): string {
  const { total } = summary;
  if (total.requests === 0) return `No requests ${rangeText(summary)}.`;
  const head = factLines([
    ["Requests", `${countText(total.requests)}   ${endingsText(summary)}`],
    ["Tokens", tokensOf(total)],
    ["Cost", costOf(total)],
    ...successLine(summary),
    ["Range", `${rangeText(summary)} (${zone})`],
    ...keptLine(summary),
  ]);
  const people = tableText([{ title: "PERSON", of: (row) => row.callerName }, ...columns], summary.byCaller);
  const models = tableText(
    [{ title: "MODEL", of: (row) => (row.alias === "" ? unknownMark : row.alias) }, ...columns],
    summary.byAlias,
  );
  const places = tableText(placeColumns, summary.byTarget);
  return [head, people, models, ...(summary.byTarget.length === 0 ? [] : [places])].join("\n\n");
}

/** Only where requests have been removed: the sums have them all the same. */
function keptLine({ rowsFromMs }: UsageSummary): readonly (readonly [string, string])[] {
  return rowsFromMs === null
    ? []
    : [["Single requests", `from ${timeText(rowsFromMs)} on; older ones are in the sums`]];
}

const columns: readonly Column<UsageTotals>[] = [
  { title: "REQUESTS", of: (row) => countText(row.requests), align: "right" },
  { title: "IN", of: (row) => tokensText(row.usage.promptTokens), align: "right" },
  { title: "CACHED", of: (row) => tokensText(row.usage.cachedTokens), align: "right" },
  { title: "OUT", of: (row) => tokensText(row.usage.completionTokens), align: "right" },
  { title: "COST", of: costOf },
];

const placeColumns: readonly Column<TargetTotals>[] = [
  { title: "TARGET", of: (row) => row.target },
  { title: "ATTEMPTS", of: (row) => countText(row.attempts), align: "right" },
  { title: "IN", of: (row) => tokensText(row.usage.promptTokens), align: "right" },
  { title: "CACHED", of: (row) => tokensText(row.usage.cachedTokens), align: "right" },
  { title: "OUT", of: (row) => tokensText(row.usage.completionTokens), align: "right" },
  {
    title: "COST",
    of: (row) => partlyKnown(row.knownCostNanos, row.knownCostAttempts, row.unknownCostAttempts, "attempt"),
  },
  { title: "DRIFT", of: (row) => (row.driftNanos === 0 ? unknownMark : nanosText(row.driftNanos)) },
];

function tokensOf(row: UsageTotals): string {
  const { promptTokens, cachedTokens, completionTokens } = row.usage;
  return `${tokensText(promptTokens)} in (${tokensText(cachedTokens)} cached), ${tokensText(completionTokens)} out`;
}

function costOf(row: UsageTotals): string {
  return partlyKnown(row.knownCostNanos, row.knownCostRequests, row.unknownCostRequests, "request");
}

/** What is not priced is counted beside the sum and never in it; what is known of it is in it. */
function partlyKnown(nanos: Nanos, known: number, unknown: number, what: string): string {
  if (known === 0 && nanos === 0) return unknown === 0 ? "no cost" : "local: not yet priced";
  return `${nanosText(nanos)}${unknown === 0 ? "" : ` + ${plural(unknown, what)} without a price`}`;
}

/** Where something is paid for, or somebody said how it went. */
function successLine({ successes, total }: UsageSummary): readonly (readonly [string, string])[] {
  const { requests, saidOk, saidNotOk, knownCostNanosEach } = successes;
  if (saidOk + saidNotOk === 0 && total.knownCostNanos === 0) return [];
  const each = knownCostNanosEach === null ? "" : `, ${nanosText(knownCostNanosEach)} each`;
  const said = saidOk + saidNotOk === 0 ? "" : `   (said: ${countText(saidOk)} good, ${countText(saidNotOk)} not)`;
  return [["Successes", `${countText(requests)}${each}${said}`]];
}

function endingsText(summary: UsageSummary): string {
  const { byStatus } = summary;
  const words = [
    [byStatus.done, "done"],
    [byStatus.open, "running"],
    [byStatus.failed, "failed"],
    [byStatus.refused, "refused"],
    [byStatus.aborted, "ended by the client"],
    [byStatus.interrupted, "interrupted"],
  ] as const;
  return words
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${countText(count)} ${word}`)
    .join(", ");
}

function rangeText(summary: UsageSummary): string {
  const { fromMs, toMs } = summary;
  if (fromMs === null && toMs === null) return "since the ledger began";
  if (fromMs === null) return `before ${timeText(toMs ?? 0)}`;
  return toMs === null ? `from ${timeText(fromMs)}` : `from ${timeText(fromMs)} to ${timeText(toMs)}`;
}
