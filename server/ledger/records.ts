/** What the ledger tells when it is asked: shapes of the reports. Types only; no I/O. */
import type { PricingFacts } from "../domain/attempt-cost.ts";
import type { CallerKind } from "../domain/caller.ts";
import type { FinishReason } from "../domain/chat.ts";
import type { FailureCode } from "../domain/failure.ts";
import type { Cost, Nanos } from "../domain/money.ts";
import type { RequestNote } from "../domain/note.ts";
import type { Timings, Usage } from "../domain/usage.ts";
import type { RequestStatus } from "./rows.ts";

/** How an attempt on another's machine came to its cost. */
export interface PricingRecord extends Omit<PricingFacts, "serviceTier"> {
  readonly provider: string;
  /** As the provider names it. */
  readonly model: string;
  readonly requestId: string | null;
  /** Null: the attempt has not ended, or said nothing. */
  readonly serviceTier: string | null;
  /** Set aside when it began. */
  readonly heldNanos: Nanos | null;
}

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
  /** Null: nobody bills it by the token: it ran on this box, on a peer or on a rented machine. */
  readonly pricing: PricingRecord | null;
  /** What the other machine calls it: of another Lanthorn, its request's id in its own ledger. Null: it said none, or it ran here. */
  readonly upstreamRequestId: string | null;
}

export interface RequestRecord {
  readonly id: string;
  readonly startedAtMs: number;
  readonly callerKind: CallerKind;
  readonly keyId: number | null;
  readonly callerName: string;
  readonly dialect: string;
  readonly alias: string;
  /** What it was for; null: nobody said. */
  readonly task: string | null;
  readonly stream: boolean;
  readonly status: RequestStatus;
  readonly finishReason: FinishReason | null;
  readonly failureCode: FailureCode | null;
  readonly durationMs: number | null;
  readonly ttftMs: number | null;
  readonly usage: Usage;
  readonly timings: Timings;
  /** Of all attempts together; known only when all of theirs are. */
  readonly cost: Cost | null;
  /** Sum of the attempts' costs that are known. */
  readonly knownCostNanos: Nanos;
  readonly unknownCostAttempts: number;
  /** What the router decided and why; null: it did not say. */
  readonly plan: unknown;
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
  /** Sum over every attempt whose cost is known, also of requests whose whole cost is not. */
  readonly knownCostNanos: Nanos;
  readonly knownCostRequests: number;
  /** Requests of which at least a part has no price. */
  readonly unknownCostRequests: number;
}

/** One place that requests were tried at. */
export interface TargetTotals {
  readonly target: string;
  readonly attempts: number;
  readonly usage: Usage;
  readonly knownCostNanos: Nanos;
  readonly knownCostAttempts: number;
  readonly unknownCostAttempts: number;
  /** What providers said beyond, or below, what the price book says. */
  readonly driftNanos: Nanos;
}

/** Of requests that were answered. */
export interface Successes {
  /** Answered, and nobody said that it did not do. */
  readonly requests: number;
  readonly saidOk: number;
  readonly saidNotOk: number;
  /** All that is known to be spent, on others too, for each success; null: there is none. */
  readonly knownCostNanosEach: Nanos | null;
}

export interface UsageSummary {
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Single requests from before it may be gone, and there whole hours count, of one key whole days (UTC); null: all are there. */
  readonly rowsFromMs: number | null;
  readonly total: UsageTotals;
  readonly successes: Successes;
  readonly byStatus: Readonly<Record<RequestStatus, number>>;
  /** Busiest first. */
  readonly byAlias: readonly (UsageTotals & { readonly alias: string })[];
  /** Dearest first; their known costs add up to the total's. */
  readonly byTarget: readonly TargetTotals[];
  readonly byCaller: readonly (UsageTotals & {
    readonly callerKind: CallerKind;
    readonly keyId: number | null;
    readonly callerName: string;
  })[];
}

/** `focus`: attempts in the columns of FOCUS 1.2, as CSV. */
export type ExportFormat = "csv" | "jsonl" | "focus";
