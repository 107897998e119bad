/**
 * What the spine tells whoever counts: each attempt and each request, when it has ended, as facts without names of people
 * and without text. Pure types.
 */
import type { FailureCode } from "./failure.ts";
import type { Cost, Nanos } from "./money.ts";
import type { Timings, Usage } from "./usage.ts";

export interface AttemptObservation {
  /** `engine/lanthorn-demo`. */
  readonly target: string;
  readonly status: "done" | "failed" | "aborted" | "interrupted";
  readonly failureCode: FailureCode | null;
  readonly usage: Usage;
  readonly timings: Timings;
  readonly cost: Cost;
  /** What the provider said beyond the price book; null: not both are known. */
  readonly driftNanos: Nanos | null;
}

export interface RequestObservation {
  readonly dialect: string;
  /** Null: no model of that name was tried, so it may be anybody's words. */
  readonly alias: string | null;
  /** The last one tried; null: none was. */
  readonly target: string | null;
  readonly status: "done" | "failed" | "refused" | "aborted" | "interrupted";
  readonly failureCode: FailureCode | null;
  readonly durationMs: number;
  /** Null: no content was sent. */
  readonly ttftMs: number | null;
  readonly usage: Usage;
}

/** Called on the path of every request: must be quick and must not throw. */
export interface Observer {
  requestBegan(): void;
  attemptEnded(attempt: AttemptObservation): void;
  requestEnded(request: RequestObservation): void;
}
