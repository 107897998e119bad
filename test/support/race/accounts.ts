/** What the ledger, the admin API and the record of a race say in the end, and where they do not agree. */
import Database from "better-sqlite3";
import type { RaceWishes } from "./race.ts";
import type { Judged } from "./record.ts";

export interface Standing {
  readonly heldNanos: number;
  readonly budgets: readonly { readonly name: string; readonly spentNanos: number; readonly heldNanos: number }[];
}

export interface Summary {
  readonly total: { readonly knownCostNanos: number };
}

export interface Rows {
  readonly settled: number;
  readonly open: number;
  readonly refused: number;
  readonly interrupted: number;
  readonly overruns: number;
  readonly overrunNanos: number;
  /** Of attempts at providers. */
  readonly spentNanos: number;
  /** Attempts money was held for. */
  readonly held: number;
  readonly wronglyBooked: number;
  /** Answers that were read to their end and are not `done` in one row. */
  readonly lost: number;
  readonly isSound: boolean;
}

export function rowsOf(path: string, seenWhole: readonly string[]): Rows {
  const database = new Database(path, { readonly: true });
  try {
    const done = database.prepare<[string], { rows: number }>(
      "SELECT count(*) AS rows FROM requests WHERE id = ? AND status = 'done'",
    );
    const isSound =
      database.pragma("integrity_check", { simple: true }) === "ok" &&
      (database.pragma("foreign_key_check") as readonly unknown[]).length === 0;
    const sums = database
      .prepare<[], Omit<Rows, "lost" | "isSound">>(
        `SELECT count(*) FILTER (WHERE held_nanos IS NOT NULL AND status <> 'open') AS settled,
           count(*) FILTER (WHERE status = 'open') AS open,
           count(*) FILTER (WHERE failure_code = 'budget_exceeded') AS refused,
           count(*) FILTER (WHERE status = 'interrupted' AND provider IS NOT NULL) AS interrupted,
           count(*) FILTER (WHERE flags LIKE '%"over_hold"%') AS overruns,
           coalesce(sum(cost_nanos - held_nanos) FILTER (WHERE flags LIKE '%"over_hold"%'), 0) AS overrunNanos,
           coalesce(sum(cost_nanos) FILTER (WHERE provider IS NOT NULL), 0) AS spentNanos,
           count(held_nanos) AS held,
           count(*) FILTER (WHERE cost_nanos > held_nanos AND coalesce(flags, '') NOT LIKE '%"over_hold"%') AS wronglyBooked
         FROM attempts`,
      )
      .get() as Omit<Rows, "lost" | "isSound">;
    return { ...sums, lost: seenWhole.filter((id) => done.get(id)?.rows !== 1).length, isSound };
  } finally {
    database.close();
  }
}

export interface Facts {
  readonly wishes: RaceWishes;
  readonly judged: Judged;
  readonly rows: Rows;
  readonly standing: Standing;
  readonly again: Standing;
  readonly summary: Summary;
  readonly csv: string;
  readonly upstreamHits: number;
  readonly statuses: Readonly<Record<string, number>>;
}

export function problemsOf({ wishes, judged, rows, standing, again, summary, csv, upstreamHits, statuses }: Facts) {
  const spentOf = ({ budgets }: Standing) => budgets.find(({ name }) => name === "team")?.spentNanos ?? -1;
  const csvNanos = sumOfColumn(csv, "knownCostNanos");
  const checks: readonly (readonly [sentence: string, holds: boolean])[] = [
    ["a hard budget was past its limit by more than providers took", judged.broken === 0],
    ["the limit was passed by more than the flagged overruns", judged.exceededNanos <= rows.overrunNanos],
    ["it was passed by more than had been taken at that moment", judged.exceededNanos <= judged.overrunThenNanos],
    ["a row cost more than was held and has no flag", rows.wronglyBooked === 0],
    ["rows are open", rows.open === 0],
    ["an answer that was read to its end has not one row that is done", rows.lost === 0],
    ["the ledger's file is not sound", rows.isSound],
    ["something is held although nothing runs", standing.heldNanos === 0 && again.heldNanos === 0],
    ["the budget's sum is not that of the rows", spentOf(standing) === rows.spentNanos],
    ["a restart sums up differently", spentOf(again) === spentOf(standing)],
    ["the summary is not the sum of the rows", summary.total.knownCostNanos === rows.spentNanos],
    ["the CSV is not the sum of the rows", csvNanos === rows.spentNanos],
    ["the vendor was asked without a row that holds money", upstreamHits <= rows.held],
    ["reservations that were neither settled nor lost with a process", rows.settled === rows.held],
    ["nobody was refused: the race was none", rows.refused > 0 && judged.refused > 0],
    ["a 402 lets clients retry", (statuses["402 without x-should-retry"] ?? 0) === 0],
    ["a budget refused a route that ends on this box", (statuses["402 with a local target"] ?? 0) === 0],
    ["the record tells of fewer starts than there were", judged.starts === wishes.kills + 1],
  ];
  return checks.filter(([, holds]) => !holds).map(([sentence]) => sentence);
}

/** Costs have no commas and no quotes; neither have the columns before them here. */
function sumOfColumn(csv: string, column: string): number {
  const [header = "", ...lines] = csv.trimEnd().split("\r\n");
  const fromEnd = header.split(",").length - header.split(",").indexOf(column);
  return lines.reduce((sum, line) => sum + Number(cellsOf(line).at(-fromEnd) ?? 0), 0);
}

function cellsOf(line: string): readonly string[] {
  // A comma ends every cell, so that an empty last one is one too.
  return [...`${line},`.matchAll(/("(?:[^"]|"")*"|[^,]*),/g)].map(([, cell = ""]) => cell);
}
