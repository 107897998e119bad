/**
 * Compares what the ledger booked with what a provider bills, by day and model. Pure. Amounts are equal when they differ by no more
 * than the rounding of both: half a nano-USD for each of our attempts, and for each line of the bill what its digits leave open.
 */
import type { Nanos } from "../money.ts";
import { addDays, type Day } from "../day.ts";
import { nanosOfAttos } from "./exact-amount.ts";
import { modelNames } from "./model-names.ts";
import type { BillLine, OurDay, ReconciledRow, ReconciledTotals, Verdict } from "./records.ts";
import { reasonOf } from "./words.ts";

export interface CompareRules {
  readonly from: Day;
  /** Not included. */
  readonly until: Day;
  /** From this day on the bill may still change. */
  readonly settledUntil: Day;
  /** The first day that the provider still tells; null: all of them. */
  readonly reachesBackTo: Day | null;
  /** The one name of a model that has several; the very name where it has none. */
  readonly canonical: (model: string) => string;
}

/** `ours` should begin a day early: an attempt that ran over midnight may be billed where it ended. */
export function compareBill(
  ours: readonly OurDay[],
  lines: readonly BillLine[],
  rules: CompareRules,
): readonly ReconciledRow[] {
  const nameOf = modelNames(
    ours.map(({ model }) => model),
    rules.canonical,
  );
  const cells = new Map<string, Cell>();
  const cellOf = (day: Day, model: string | null): Cell => {
    const name = model === null ? null : nameOf(model);
    const key = `${day}\n${name ?? ""}`;
    const cell = cells.get(key) ?? { day, model: name, ours: [], lines: [] };
    cells.set(key, cell);
    return cell;
  };
  for (const one of ours) cellOf(one.day, one.model).ours.push(one);
  for (const line of lines) cellOf(line.day, line.model).lines.push(line);
  const rows = [...cells.values()]
    .filter(({ day }) => day >= rules.from && day < rules.until)
    .map((cell) => rowOf(cell, cells.get(`${addDays(cell.day, -1)}\n${cell.model ?? ""}`), rules))
    .filter((row) => row.attempts > 0 || row.theirsNanos !== 0)
    .sort((a, b) => a.day.localeCompare(b.day) || (a.model ?? "\uffff").localeCompare(b.model ?? "\uffff"));
  return withAgreeingDays(rows);
}

interface Cell {
  readonly day: Day;
  readonly model: string | null;
  readonly ours: OurDay[];
  readonly lines: BillLine[];
}

const sum = <T>(list: readonly T[], of: (one: T) => number): number => list.reduce((all, one) => all + of(one), 0);

function rowOf(cell: Cell, before: Cell | undefined, rules: CompareRules): ReconciledRow {
  const { day, model, ours, lines } = cell;
  const attempts = sum(ours, (one) => one.attempts);
  const oursNanos = sum(ours, (one) => one.nanos);
  const unpricedAttempts = sum(ours, (one) => one.unpriced);
  const isUnreadable = lines.some(({ attos }) => attos === null);
  const theirs =
    lines.length === 0 || isUnreadable ? null : nanosOfAttos(lines.reduce((all, one) => all + (one.attos ?? 0n), 0n));
  const moved = sum(before?.ours ?? [], (one) => one.overMidnightNanos) - sum(ours, (one) => one.overMidnightNanos);
  const toleranceNanos =
    1 +
    Math.ceil((attempts + sum(before?.ours ?? [], (one) => one.attempts) * Number(moved !== 0)) / 2) +
    sum(lines, (line) => line.roundingNanos);
  const differenceNanos = (theirs ?? 0) - oursNanos;
  const facts = {
    differenceNanos,
    toleranceNanos,
    hasLines: lines.length > 0,
    isUnreadable,
    attempts,
    oursNanos,
    unpricedAttempts,
    openAttempts: sum(ours, (one) => one.open),
    brokenOff: sum(ours, (one) => one.brokenOff),
    movedNanos: moved,
    isSettled: day < rules.settledUntil,
    isInReach: rules.reachesBackTo === null || day >= rules.reachesBackTo,
  };
  const verdict = verdictOf(facts);
  const said = lines.filter(({ requests }) => requests !== null);
  return {
    day,
    model,
    attempts,
    requests: said.length === 0 ? null : sum(said, ({ requests }) => requests ?? 0),
    oursNanos,
    theirsNanos: theirs,
    differenceNanos,
    toleranceNanos,
    verdict,
    reason: reasonOf(verdict, { ...facts, what: model === null ? [...new Set(lines.map((line) => line.what))] : [] }),
    unpricedAttempts,
    driftNanos: sum(ours, (one) => one.driftNanos),
  };
}

export interface CellFacts {
  /** Theirs minus ours. */
  readonly differenceNanos: Nanos;
  readonly toleranceNanos: Nanos;
  readonly hasLines: boolean;
  readonly isUnreadable: boolean;
  readonly attempts: number;
  readonly oursNanos: Nanos;
  readonly unpricedAttempts: number;
  readonly openAttempts: number;
  readonly brokenOff: number;
  /** What would be added to ours if attempts counted on the day they ended. */
  readonly movedNanos: Nanos;
  readonly isSettled: boolean;
  readonly isInReach: boolean;
}

function verdictOf(facts: CellFacts): Verdict {
  const { differenceNanos, toleranceNanos, movedNanos } = facts;
  const agrees = (difference: Nanos) => Math.abs(difference) <= toleranceNanos;
  if (!facts.isInReach) return "out_of_reach";
  if (facts.isUnreadable) return "unreadable";
  if (facts.unpricedAttempts > 0) return facts.isSettled ? "unpriced" : "not_yet_reported";
  if (agrees(differenceNanos) || agrees(differenceNanos - movedNanos)) return "agrees";
  if (!facts.isSettled || facts.openAttempts > 0) return "not_yet_reported";
  if (!facts.hasLines) return "missing_there";
  return facts.attempts === 0 ? "missing_here" : "differs";
}

/** Lines without a model (a provider's own search, say) are part of some model's cost here: then the day as a whole is compared. */
function withAgreeingDays(rows: readonly ReconciledRow[]): readonly ReconciledRow[] {
  const byDay = new Map<Day, ReconciledRow[]>();
  for (const row of rows) byDay.set(row.day, [...(byDay.get(row.day) ?? []), row]);
  return rows.map((row) => {
    const day = byDay.get(row.day) ?? [];
    const isOff = row.verdict === "differs" || row.verdict === "missing_here" || row.verdict === "missing_there";
    if (!isOff || !day.some(({ model }) => model === null)) return row;
    const difference = sum(day, ({ differenceNanos }) => differenceNanos);
    if (day.some(({ verdict }) => verdict === "unreadable" || verdict === "unpriced")) return row;
    if (Math.abs(difference) > sum(day, ({ toleranceNanos }) => toleranceNanos)) return row;
    return { ...row, verdict: "agrees", reason: "the day as a whole agrees: a part of the bill names no model" };
  });
}

/** Everything agrees, or is of days nobody can compare. */
export function isReconciled(rows: readonly ReconciledRow[]): boolean {
  return rows.every(
    ({ verdict }) => verdict === "agrees" || verdict === "not_yet_reported" || verdict === "out_of_reach",
  );
}

export function totalsOf(rows: readonly ReconciledRow[]): ReconciledTotals {
  const counted = (verdict: Verdict) => rows.filter((row) => row.verdict === verdict).length;
  return {
    oursNanos: sum(rows, (row) => row.oursNanos),
    theirsNanos: sum(rows, (row) => row.theirsNanos ?? 0),
    differenceNanos: sum(rows, (row) => row.differenceNanos),
    driftNanos: sum(rows, (row) => row.driftNanos),
    unpricedAttempts: sum(rows, (row) => row.unpricedAttempts),
    rows: {
      agrees: counted("agrees"),
      differs: counted("differs"),
      missing_here: counted("missing_here"),
      missing_there: counted("missing_there"),
      unpriced: counted("unpriced"),
      unreadable: counted("unreadable"),
      not_yet_reported: counted("not_yet_reported"),
      out_of_reach: counted("out_of_reach"),
    },
  };
}
