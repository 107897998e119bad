/** What a scenario of the benches is: one server shape, what one sample does, and the rows its figures become. Types only. */
import type { RowDefinition } from "./measure.ts";
import type { Prompts } from "./prompts.ts";

/** Which part of the bench a scenario belongs to; `--only` chooses by these. */
export type Group = "step" | "serve" | "gateway" | "start";

/**
 * `large`: random weights in the shape of Qwen2.5-Coder 0.5B, Q4_K_M. `small`: 6 blocks of width 512, F16, some twenty times
 * faster, for scenarios that must see hundreds of long prompts. `tiny`: the model costs nothing.
 */
export type ModelName = "large" | "small" | "tiny";

export interface ServerShape {
  readonly model: ModelName;
  /** Tokens per slot. */
  readonly context: number;
  readonly slots: number;
  readonly threads: number;
}

/** A running server under test, ours or the peer's, spoken to through HTTP only. */
export interface Contestant {
  readonly name: string;
  readonly url: string;
  /** The alias to ask for. */
  readonly model: string;
  /** Root of its process tree. */
  readonly pid: number;
  /** A key for each name; null where a server knows no callers. */
  keys(names: readonly string[]): Promise<readonly (string | null)[]>;
  /** Tokens that its slots hold now for requests of each of these callers; 0 where a server does not say. */
  slotTokens(names: readonly string[]): Promise<readonly number[]>;
  /**
   * Ends it and starts it again in the same data folder; resolves when its model is loaded. `emptied`: without what it had saved
   * of its slots. Absent where a server cannot.
   */
  restart?(wish: { readonly emptied: boolean }): Promise<void>;
  stop(): Promise<void>;
}

export interface Scenario {
  readonly id: string;
  readonly groups: readonly Group[];
  readonly server: ServerShape;
  readonly rows: readonly RowDefinition[];
  /** Pairs of samples when `--runs` is not given. */
  readonly runs: number;
  /**
   * `together`: both servers stay up and samples alternate. `apart`: a fresh server per sample, one at a time, for what a
   * neighbour's pages would falsify. `ours`: only we are measured, against an absolute target.
   */
  readonly plan: "together" | "apart" | "ours";
  /** Without a peer it is measured all the same, ours only. */
  readonly peerOptional?: boolean;
  /** One discarded round after the start. */
  warmUp(contestant: Contestant, prompts: Prompts): Promise<void>;
  /** One value per row, in the order of `rows`. `seed` differs for each run and is the same for both sides of a pair. */
  sample(contestant: Contestant, prompts: Prompts, seed: number): Promise<readonly number[]>;
}
