/** What is asked of a fit and what it answers. Pure types. */

/** How the numbers of K and V are kept. */
export type KvType = "f16" | "q8_0" | "q4_0";

export interface FitWishes {
  /** Tokens one request may hold; null: as many as are sensible. */
  readonly contextLength: number | null;
  /** Requests at the same time, each with a context of its own. */
  readonly slots: number;
  readonly kv: KvType;
  /** Most tokens of one step. */
  readonly batchSize: number;
}

/** Where the weights lie. `none`: nowhere in this machine. */
export type FitPlacement = "gpu" | "split" | "cpu" | "none";

/** How it will feel; the bounds are beside the function that decides it. */
export type SpeedClass = "instant" | "fast" | "usable" | "slow";

export interface FitBytes {
  readonly weights: number;
  /** Of all slots together. */
  readonly kv: number;
  readonly compute: number;
  /** Left free on purpose. */
  readonly margin: number;
  readonly total: number;
}

/** What a model takes of each memory. */
export interface Footprint {
  readonly ramBytes: number;
  readonly vramBytes: number;
}

/** Something to do instead, ready to be used. */
export interface FitAlternative {
  /** The end of "or …": `with 2 slots`, `with q8_0 KV`, `with 4,096 tokens per request`. */
  readonly text: string;
  readonly wishes: FitWishes;
}

export interface FitVerdict {
  /** Of the wishes as they were asked. */
  readonly placement: FitPlacement;
  readonly gpuLayers: number;
  readonly totalLayers: number;
  readonly contextLength: number;
  readonly slots: number;
  readonly bytes: FitBytes;
  readonly footprint: Footprint;
  /** The longest context per request that fits with these slots where the placement is what it is; 0: none does. */
  readonly longestContext: number;
  readonly speed: SpeedClass | null;
  /** One plain sentence: what fits or what is missing, with the figures. */
  readonly reason: string;
  readonly alternatives: readonly FitAlternative[];
}
