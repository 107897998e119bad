/** What the server's thread asks the reader thread, and what comes back. Plain data, tagged by id. */
import type { OurDay } from "../../domain/reconcile/records.ts";
import type { BillDaysFilter } from "./bill-days.ts";
import type { MoneyQueries, TimeSpan } from "../money-records.ts";
import type { ExportFormat, ReportFilter, RequestRecord, UsageSummary } from "../records.ts";
import type { LeaseQueries } from "./leases.ts";
import type { Place } from "./queries.ts";

/** Given to the thread when it starts. */
export interface ReaderData {
  readonly path: string;
}

/** The questions by name: what each is given, and its answer. */
export interface Questions {
  summary: { readonly given: ReportFilter; readonly answer: UsageSummary };
  show: { readonly given: string; readonly answer: RequestRecord | null };
  recent: {
    readonly given: { readonly limit: number; readonly filter: ReportFilter; readonly before: string | null };
    readonly answer: readonly RequestRecord[] | null;
  };
  /** One page of an export, behind `after`; a page without `next` was the last one. */
  exportPage: {
    readonly given: {
      readonly format: ExportFormat;
      readonly filter: ReportFilter;
      readonly after: Place | null;
      /** Requests opened later than this are left out, so that an export ends. Null: ask for it. */
      readonly upTo: number | null;
    };
    readonly answer: { readonly text: string; readonly next: Place | null; readonly upTo: number };
  };
  billDays: { readonly given: BillDaysFilter; readonly answer: readonly OurDay[] };
  savingsPage: {
    readonly given: Parameters<MoneyQueries["savingsPage"]>[0];
    readonly answer: ReturnType<MoneyQueries["savingsPage"]>;
  };
  power: { readonly given: readonly TimeSpan[]; readonly answer: ReturnType<MoneyQueries["power"]> };
  spent: { readonly given: TimeSpan; readonly answer: ReturnType<MoneyQueries["spent"]> };
  rowsFromMs: { readonly given: null; readonly answer: number };
  firstRequestMs: { readonly given: null; readonly answer: number | null };
  largestLocalTokens: { readonly given: TimeSpan; readonly answer: number | null };
  leaseHistory: { readonly given: number; readonly answer: ReturnType<LeaseQueries["history"]> };
  leaseSteadiness: { readonly given: number; readonly answer: ReturnType<LeaseQueries["steadiness"]> };
  leaseBurn: {
    readonly given: Parameters<LeaseQueries["burn"]>[0];
    readonly answer: ReturnType<LeaseQueries["burn"]>;
  };
  /** Empty: nothing wrong. */
  integrity: { readonly given: null; readonly answer: readonly string[] };
  backup: { readonly given: string; readonly answer: null };
  /** Moves what is in the write-ahead log into the file and syncs both. */
  checkpoint: { readonly given: null; readonly answer: null };
  close: { readonly given: null; readonly answer: null };
}

export type QuestionName = keyof Questions;

/** One message to the thread. */
export type Asked = {
  [Name in QuestionName]: { id: number; name: Name; given: Questions[Name]["given"] };
}[QuestionName];

/**
 * Answers of many small objects that are plain JSON: they come as its text, because reading that takes the server's thread two thirds of the
 * time that it takes to have them cloned (1,000 requests on 2026-11-27: 12 ms in place of 18, and 60 at worst).
 */
export const asText: ReadonlySet<QuestionName> = new Set<QuestionName>(["summary", "show", "recent"]);

export type Answered =
  | { readonly id: number; readonly answer: Questions[QuestionName]["answer"] }
  | { readonly id: number; readonly text: string }
  /** What went wrong, for the log. */
  | { readonly id: number; readonly problem: string };
