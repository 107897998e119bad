/** Files and batches as every room sees them. Pure types; kept by `server/ledger`, run by `server/batch`. */
import type { CallerKind } from "./caller.ts";
import type { RouteWishes } from "./routing/request-facts.ts";
import type { Usage } from "./usage.ts";

export interface BatchFile {
  readonly id: string;
  /** As `callerId` names it. */
  readonly caller: string;
  /** `batch`: lines to run; `batch_output`: what came of them. */
  readonly purpose: "batch" | "batch_output";
  readonly name: string;
  readonly bytes: number;
  /** Epoch milliseconds, as all times here. */
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export type BatchStatus =
  | "validating"
  | "failed"
  | "in_progress"
  | "finalizing"
  | "completed"
  | "expired"
  | "cancelling"
  | "cancelled";

/** What is wrong with an input file; `line` counts from 1, null: the file as a whole. */
export interface BatchProblem {
  readonly line: number | null;
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
}

export interface Batch {
  /** Counts up; older ones run first. */
  readonly number: number;
  readonly id: string;
  readonly caller: string;
  readonly callerKind: CallerKind;
  readonly keyId: number | null;
  readonly endpoint: string;
  readonly inputFile: string;
  /** Names of contents from the start of the first line on; rows of files when it is over and there is something in them. */
  readonly outputFile: string | null;
  readonly errorFile: string | null;
  readonly status: BatchStatus;
  readonly errors: readonly BatchProblem[];
  readonly metadata: Readonly<Record<string, string>> | null;
  /** What the client's headers said when it made the batch; holds for every line. */
  readonly wishes: RouteWishes;
  /** Tokens of the answered lines, all together. */
  readonly usage: Usage;
  /** How long its output and error files are kept from their making. */
  readonly outputKeepMs: number;
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly cancellingAtMs: number | null;
}

const overStates: ReadonlySet<BatchStatus> = new Set(["failed", "completed", "expired", "cancelled"]);

export function isOver({ status }: Pick<Batch, "status">): boolean {
  return overStates.has(status);
}

/** Every method is done when it returns and throws Failure `ledger_unavailable`. */
export interface BatchRecords {
  /** Of one that is there already only the size is changed. */
  addFile(file: BatchFile): void;
  file(caller: string, id: string): BatchFile | null;
  /** Newest first. */
  files(caller: string): readonly BatchFile[];
  /** Of everybody's files. */
  storedBytes(): number;
  fileIds(): readonly string[];
  removeFile(id: string): void;
  expiredFiles(nowMs: number): readonly BatchFile[];
  add(batch: Omit<Batch, "number">): Batch;
  batch(caller: string, id: string): Batch | null;
  /** Newest first. */
  batches(caller: string): readonly Batch[];
  /** Not over yet, oldest first. */
  open(): readonly Batch[];
  /** Those that ended before. */
  removeEnded(beforeMs: number): void;
  change(id: string, change: Partial<Omit<Batch, "number" | "id">>): void;
}
