/** The shapes of ledger rows as the rooms above write and read them. One name per column, from SQL to screen. Types only. */
import type { PricingFacts, UpstreamName } from "../domain/attempt-cost.ts";
import type { CallerKind, KeyLimits } from "../domain/caller.ts";
import type { FailureCode } from "../domain/failure.ts";
import type { FinishReason } from "../domain/chat.ts";
import type { Cost, Nanos } from "../domain/money.ts";
import type { RequestNote } from "../domain/note.ts";
import type { Timings, Usage } from "../domain/usage.ts";

/**
 * How a request ended. `open` while it runs; `refused` before any attempt began; `interrupted` by the end of the server: written then, with
 * what was used so far, or at start-up for rows a killed process left open.
 */
export type RequestStatus = "open" | "done" | "failed" | "refused" | "aborted" | "interrupted";

export interface RequestOpening {
  /** `req_` and 22 base62 characters; also the `x-request-id` header. */
  readonly id: string;
  readonly startedAtMs: number;
  readonly callerKind: CallerKind;
  readonly keyId: number | null;
  readonly callerName: string;
  readonly dialect: string;
  /** What the client asked for; at most 200 characters are kept. */
  readonly alias: string;
  readonly stream: boolean;
  /** What it is for; null or absent: nobody said. */
  readonly task?: string | null;
}

export interface AttemptOpening {
  readonly requestId: string;
  /** 1 for the first try. */
  readonly number: number;
  /** `engine/lanthorn-demo`: backend and model. */
  readonly target: string;
  /** Reason code: why this target was chosen (`domain/routing`). */
  readonly reason: string;
  /** Milliseconds after the request began. */
  readonly offsetMs: number;
  /** Whose machine it runs on, and the model's name there; absent: this box's own. */
  readonly upstream?: UpstreamName;
  /** Set aside for it; absent: nothing. */
  readonly heldNanos?: Nanos;
}

export interface AttemptEnding {
  readonly requestId: string;
  readonly number: number;
  readonly status: Exclude<RequestStatus, "open" | "refused">;
  readonly failureCode: FailureCode | null;
  readonly durationMs: number;
  readonly usage: Usage;
  readonly timings: Timings;
  readonly cost: Cost;
  /** Absent: nothing was priced. */
  readonly pricing?: PricingFacts;
  /** The upstream's own name for it, for questions to its support; absent: it gave none. */
  readonly upstreamRequestId?: string;
  /** What budgets count where the cost is not known; absent: the cost, or what was held. */
  readonly countedNanos?: Nanos;
  /** What an answer that was there already had used; absent: it was computed. */
  readonly keptUsage?: Usage;
}

export interface RequestEnding {
  readonly id: string;
  readonly status: Exclude<RequestStatus, "open">;
  readonly finishReason: FinishReason | null;
  readonly failureCode: FailureCode | null;
  readonly durationMs: number;
  /** From the request's acceptance to the first content event; null when there was none. */
  readonly ttftMs: number | null;
  /** Sums over the attempts. */
  readonly usage: Usage;
  readonly timings: Timings;
  readonly cost: Cost;
  /** Sum of the attempts' costs that are known; absent: `cost`, or 0 when that is not known. */
  readonly knownNanos?: Nanos;
  /** Attempts whose cost is not known; absent: 0. */
  readonly unknownAttempts?: number;
  /** Absent: none. */
  readonly notes?: readonly RequestNote[];
  /** What the router decided and why; absent: it did not say. */
  readonly plan?: unknown;
}

/** One stored key. The secret itself is never stored. */
export interface KeyRow {
  readonly id: number;
  readonly kind: "inference" | "admin";
  /** The person or bot. */
  readonly name: string;
  readonly label: string | null;
  /** Last four characters, for recognition: `lth_…9f3c`. */
  readonly tail: string;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number | null;
  readonly revokedAtMs: number | null;
  /** Refused from then on; null: never. */
  readonly expiresAtMs: number | null;
  /** Shares no computed prefixes with other keys. */
  readonly isolate: boolean;
  readonly limits: KeyLimits;
  /** The only aliases and models it may ask for; null: all. */
  readonly routes: readonly string[] | null;
}
