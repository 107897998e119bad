/** The shapes of ledger rows as the rooms above write and read them. One name per column, from SQL to screen. Types only. */
import type { CallerKind } from "../domain/caller.ts";
import type { FailureCode } from "../domain/failure.ts";
import type { FinishReason } from "../domain/chat.ts";
import type { Timings, Usage } from "../domain/usage.ts";
import type { Cost } from "../domain/money.ts";
import type { RequestNote } from "../domain/note.ts";

/**
 * How a request ended. `open` while it runs; `refused` before any attempt began; `interrupted` is written at start-up
 * for rows a killed process left open.
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
  /** Absent: none. */
  readonly notes?: readonly RequestNote[];
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
}
