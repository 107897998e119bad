/** A model this box serves, as the rooms above the engine and the renderer see it. Pure types. */

/** Where a model is in its life. Every state shown to a person carries since, reason and until. */
export type ModelState = "unloaded" | "loading" | "ready" | "backing-off" | "failed" | "stopping";

/** What a model can be asked for. Each is loaded for one of them. */
export type Capability = "chat" | "embeddings" | "rerank";

/** What a request may need of a model besides its capability. */
export type Feature = "tools" | "images" | "files" | "json-schema";

/** What becomes of a prompt where a model runs: it stays on machines of ours, it is not kept, or nobody promised anything. */
export type DataClass = "local" | "no-retention" | "any";

/** How far down somebody has looked: its server answers, the model is there to be used, or it has just answered. */
export type HealthDepth = "reachable" | "loaded" | "answers";

/**
 * What a model that is no chat model was made for, as its header says it. Native code reads the pooling itself; we need it to
 * know which inputs may be computed in pieces.
 */
export interface PooledAbility {
  readonly capability: Exclude<Capability, "chat">;
  /** How the vectors of an input's tokens become one. `none`: the file does not say, the last token's is taken. */
  readonly pooling: "none" | "mean" | "cls" | "last" | "rank";
  /** Every token looks at every other: an input is computed in one step or not at all. */
  readonly inOnePiece: boolean;
  /** Numbers of one vector. */
  readonly embeddingLength: number;
  readonly vocabularySize: number;
  /** A reranker whose score is a probability as it comes; otherwise it is a logit. */
  readonly scoresAreProbabilities: boolean;
}

export interface ServedModel {
  /** What a client asks for. Unique on the box. */
  readonly alias: string;
  readonly capabilities: readonly Capability[];
  /** Numbers of one vector; null for what makes none. */
  readonly embeddingLength: number | null;
  /** File name without folders: what was loaded, never where it lies. Empty for what runs elsewhere. */
  readonly fileName: string;
  /** 0 for what runs elsewhere. */
  readonly sizeBytes: number;
  /** Epoch milliseconds: the file's own time, so that it is stable between starts. */
  readonly createdAtMs: number;
  /** Tokens one request may hold: prompt and answer together. Each slot has this many. 0: not known. */
  readonly contextLength: number;
  /** How many requests are answered at the same time. 0: others decide that. */
  readonly slots: number;
  /** Where it runs when not here; absent: on this box. */
  readonly elsewhere?: { readonly provider: string; readonly model: string };
  /** What it can besides; absent: nobody said, it is asked and may refuse. */
  readonly features?: readonly Feature[];
  /** Absent: `local` for the engine, `any` for what runs elsewhere. */
  readonly data?: DataClass;
  /** Where it computes; absent or null: not said. */
  readonly region?: string | null;
  /** The built-in demo: marked wherever it appears. */
  readonly demo: boolean;
  /** What its header says; absent: not known, as of what runs elsewhere. */
  readonly details?: ModelDetails;
}

/** What clients ask about a model to know how to use it. */
export interface ModelDetails {
  /** `general.architecture`. */
  readonly architecture: string;
  /** Its chat template shows tools to it. */
  readonly tools: boolean;
  /** Its chat template knows reasoning. */
  readonly thinking: boolean;
  /** As file names say it (`Q4_K_M`); null: not known. */
  readonly quantization: string | null;
}

export interface SlotView {
  readonly state: "idle" | "waiting" | "prefill" | "decode";
  /** Tokens whose KV the slot holds. */
  readonly tokens: number;
  readonly caller: string | null;
}

export interface ModelView {
  readonly id: string;
  readonly capabilities: readonly Capability[];
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
  /** Neither pushed out of memory nor unloaded by time. */
  readonly pinned: boolean;
  /** Requests that wait until it is loaded. */
  readonly waiting: number;
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
