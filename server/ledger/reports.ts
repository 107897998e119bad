/**
 * What can be asked of the ledger. Every question runs on the reader thread. Runs on the server's thread, or in a command.
 */
import { Failure } from "../domain/failure.ts";
import type { OurDay } from "../domain/reconcile/records.ts";
import type { BillDaysFilter } from "./reader/bill-days.ts";
import type { ReaderLink } from "./reader/link.ts";
import type { Place } from "./reader/queries.ts";
import type { ExportFormat, ReportFilter, RequestRecord, UsageSummary } from "./records.ts";

/** Most requests `recent` returns. */
const mostRecent = 1000;

/** All reject with Failure `ledger_unavailable` when the file cannot be read. */
export interface Reports {
  summary(filter?: ReportFilter): Promise<UsageSummary>;
  /** By request id (`req_…`), whole. Null: no such request. */
  show(id: string): Promise<RequestRecord | null>;
  /**
   * Newest first, at most 1,000; those older than the request `before` (`req_…`), so that a page goes on where the last one
   * ended. Failure `invalid_request` when there is no such request.
   */
  recent(limit: number, filter?: ReportFilter, before?: string): Promise<readonly RequestRecord[]>;
  /** Text in pieces, read only as fast as it is taken. Requests opened after the start are not in it. */
  export(format: ExportFormat, filter?: ReportFilter): AsyncIterable<string>;
  /** What attempts at these providers cost, by UTC day and model. */
  billDays(filter: BillDaysFilter): Promise<readonly OurDay[]>;
  integrity(): Promise<{ readonly ok: boolean; readonly problems: readonly string[] }>;
  /** A complete copy, made while the ledger is in use. Mode 0600. The file must not be there yet or be empty. */
  backup(destination: string): Promise<void>;
}

export function createReports(link: ReaderLink): Reports {
  return {
    summary: (filter = {}) => link.ask("summary", filter),
    show: (id) => link.ask("show", id),
    async recent(limit, filter = {}, before) {
      if (!Number.isInteger(limit) || limit < 1 || limit > mostRecent) {
        throw new Failure("invalid_request", `limit must be a whole number from 1 to ${mostRecent}.`, {
          param: "limit",
        });
      }
      const found = await link.ask("recent", { limit, filter, before: before ?? null });
      if (found === null) {
        throw new Failure("invalid_request", "before must be the id of a request that the ledger has.", {
          param: "before",
        });
      }
      return found;
    },
    async *export(format, filter = {}) {
      let after: Place | null = null;
      let upTo: number | null = null;
      while (true) {
        const page: Awaited<ReturnType<typeof link.ask<"exportPage">>> = await link.ask("exportPage", {
          format,
          filter,
          after,
          upTo,
        });
        if (page.text !== "") yield page.text;
        if (page.next === null) return;
        after = page.next;
        upTo = page.upTo;
      }
    },
    billDays: (filter) => link.ask("billDays", filter),
    async integrity() {
      const problems = await link.ask("integrity", null);
      return { ok: problems.length === 0, problems };
    },
    async backup(destination) {
      await link.ask("backup", destination);
    },
  };
}
