/**
 * What one room needs from a neighbour or from above, as small interfaces. Joined in `server/appliance.ts` only.
 * Pure types: no I/O here.
 */
import type { BudgetView } from "./budget/view.ts";
import type { ModelShape } from "./fit/shape.ts";
import type { HardwareView } from "./hardware.ts";
import type { DownloadView } from "./download.ts";
import type { ModelView, PooledAbility, QueueEntryView } from "./model.ts";
import type { LeaseView } from "./rental/lease.ts";

/** Time is passed in. `now` is for people and rows, `monotonicMs` for every time-out and every duration. */
export interface Clock {
  /** Epoch milliseconds. May jump when somebody sets the clock. */
  now(): number;
  /** Milliseconds from an arbitrary start. Never jumps. */
  monotonicMs(): number;
  /** Calls back after `delayMs` of monotonic time; the returned function cancels. Does not keep the process alive. */
  after(delayMs: number, callback: () => void): () => void;
}

/** A GGUF that has been validated and may be handed to native code. */
export interface ModelFile {
  readonly alias: string;
  readonly path: string;
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  /** From the header: tokens the model was trained for. */
  readonly trainedContextLength: number;
  /** Null: a chat model. */
  readonly pooled: PooledAbility | null;
  /** `general.architecture` of the header. */
  readonly architecture: string;
  /** What it needs of memory, all its parts together. */
  readonly shape: ModelShape;
  readonly vocabularySize: number;
  /** `tokenizer.ggml.model`: which kind of vocabulary this is. */
  readonly tokenizer: string;
  /** Jinja text; null when the file has none. */
  readonly chatTemplate: string | null;
  readonly demo: boolean;
  /** Named by a flag or the config, and not merely found in the folder. */
  readonly asked: boolean;
  /** Asked for by flag or config; null: the engine's default. */
  readonly context: number | null;
  readonly slots: number | null;
  /** Unused for so long it leaves memory; null: never. Absent: as the engine's settings say. */
  readonly keepAliveMs?: number | null;
  /** Neither pushed out of memory nor unloaded by time. */
  readonly pin?: boolean;
  /** Loaded at the start; absent: when it was asked for by name. */
  readonly preload?: boolean;
}

/** What the engine may count on of the graphics cards. Asked before a model is loaded and before it answers. */
export interface GpuPromise {
  /** The engine was seen to compute on a GPU here: a worker that has none is at fault. */
  isPromised(): boolean;
  /** Why a model with weights of this size must not be served now; null: nothing that it was promised is missing. */
  lost(weightBytes: number): { readonly reason: string; readonly retryAfterMs: number } | null;
  /** A worker found no GPU where one was promised: it is looked at again soon. */
  missed(): void;
}

/** Facts that others may want to hear: the admin event stream, the log, metrics. */
export type BoxEvent =
  | { readonly type: "model"; readonly model: ModelView }
  | { readonly type: "queue"; readonly queue: readonly QueueEntryView[] }
  | { readonly type: "hardware"; readonly hardware: HardwareView }
  | { readonly type: "download"; readonly download: DownloadView }
  | { readonly type: "budget"; readonly budget: BudgetView }
  | { readonly type: "lease"; readonly lease: LeaseView }
  | { readonly type: "request"; readonly id: string; readonly status: string };

export type Publish = (event: BoxEvent) => void;

/** The few methods of a logger that rooms use. Never log a body, a prompt or a key. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
