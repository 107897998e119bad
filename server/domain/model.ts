/** A model this box serves, as the rooms above the engine and the renderer see it. Pure types. */

/** Where a model is in its life. Every state shown to a person carries since, reason and until. */
export type ModelState = "unloaded" | "loading" | "ready" | "backing-off" | "failed" | "stopping";

export interface ServedModel {
  /** What a client asks for. Unique on the box. */
  readonly alias: string;
  /** File name without folders: what was loaded, never where it lies. */
  readonly fileName: string;
  readonly sizeBytes: number;
  /** Epoch milliseconds: the file's own time, so that it is stable between starts. */
  readonly createdAtMs: number;
  /** Tokens one request may hold: prompt and answer together. Each slot has this many. */
  readonly contextLength: number;
  /** How many requests are answered at the same time. */
  readonly slots: number;
  /** The built-in demo: marked wherever it appears. */
  readonly demo: boolean;
}

export interface SlotView {
  readonly state: "idle" | "waiting" | "prefill" | "decode";
  /** Tokens whose KV the slot holds. */
  readonly tokens: number;
  readonly caller: string | null;
}

export interface ModelView {
  readonly id: string;
  /** Without its folders. */
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly demo: boolean;
  readonly state: ModelState;
  /** Epoch milliseconds of the last change of state. */
  readonly since: number;
  /** Why it is in this state, in words a person reads. */
  readonly reason: string;
  /** Epoch milliseconds at which it leaves the state by itself; null when nothing is planned. */
  readonly until: number | null;
  readonly workerPid: number | null;
  readonly contextLength: number;
  readonly slots: readonly SlotView[];
}

export interface QueueEntryView {
  readonly caller: string;
  readonly model: string;
  /** 1 is next. */
  readonly position: number;
  /** Predicted wait; null when there is nothing to predict from. */
  readonly expectedMs: number | null;
}
