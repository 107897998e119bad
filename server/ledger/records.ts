/** What the ledger tells when it is asked: shapes of the reports. Types only; no I/O. */
import type { CallerKind } from "../domain/caller.ts";
import type { FinishReason } from "../domain/chat.ts";
import type { FailureCode } from "../domain/failure.ts";
import type { Cost, Nanos } from "../domain/money.ts";
import type { RequestNote } from "../domain/note.ts";
import type { Timings, Usage } from "../domain/usage.ts";
import type { RequestStatus } from "./rows.ts";

export interface AttemptRecord {
  /** 1 for the first try. */
  readonly number: number;
  readonly target: string;
  readonly reason: string;
  /** Milliseconds after the request began. */
  readonly offsetMs: number;
  readonly status: Exclude<RequestStatus, "refused">;
  readonly failureCode: FailureCode | null;
  /** Null while it runs, and when a killed process left it open. */
  readonly durationMs: number | null;
  readonly usage: Usage;
  readonly timings: Timings;
  /** Null while it runs. */
  readonly cost: Cost | null;
}

export interface RequestRecord {
  readonly id: string;
  readonly startedAtMs: number;
  readonly callerKind: CallerKind;
  readonly keyId: number | null;
  readonly callerName: string;
  readonly dialect: string;
  readonly alias: string;
  readonly stream: boolean;
  readonly status: RequestStatus;
  readonly finishReason: FinishReason | null;
  readonly failureCode: FailureCode | null;
  readonly durationMs: number | null;
  readonly ttftMs: number | null;
  readonly usage: Usage;
  readonly timings: Timings;
  readonly cost: Cost | null;
  /** What was done to it before it ran, or could not be kept of it. */
  readonly notes: readonly RequestNote[];
  readonly attempts: readonly AttemptRecord[];
}

/** Which requests a report is about, by the time they began. */
export interface ReportFilter {
  readonly fromMs?: number;
  /** The first moment that is not in it any more. */
  readonly toMs?: number;
  readonly keyId?: number;
}

export interface UsageTotals {
  readonly requests: number;
  readonly usage: Usage;
  /** Sum over the requests whose cost is known; says nothing about the others. */
  readonly knownCostNanos: Nanos;
  readonly knownCostRequests: number;
  /** Requests without a price. */
  readonly unknownCostRequests: number;
}

export interface UsageSummary {
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly total: UsageTotals;
  readonly byStatus: Readonly<Record<RequestStatus, number>>;
  /** Busiest first. */
  readonly byAlias: readonly (UsageTotals & { readonly alias: string })[];
  readonly byCaller: readonly (UsageTotals & {
    readonly callerKind: CallerKind;
    readonly keyId: number | null;
    readonly callerName: string;
  })[];
}

export type ExportFormat = "csv" | "jsonl";
