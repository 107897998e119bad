/** Where a request can be answered, and what is known of such a place at the moment a plan is made. Pure. */
import type { Nanos } from "../money.ts";
import type { Capability, DataClass, Feature } from "../model.ts";
import type { PowerView, WhileAsleep } from "../rental/power.ts";
import type { CooldownState } from "./cooldown.ts";

/** One model at one backend. `model` is the backend's own name for it, without the backend's. */
export interface Target {
  readonly backendId: string;
  readonly model: string;
}

/** `engine/lanthorn-demo`: how rows, headers and people name a target. */
export function targetName(target: Target): string {
  return `${target.backendId}/${target.model}`;
}

export type { DataClass, Feature } from "../model.ts";

export const dataClasses = Object.freeze(["local", "no-retention", "any"] as const satisfies readonly DataClass[]);

/** The stricter of two: `local` before `no-retention` before `any`. */
export function stricter(left: DataClass, right: DataClass): DataClass {
  return dataClasses.indexOf(left) <= dataClasses.indexOf(right) ? left : right;
}

/** One place with everything a plan looks at. Plain data: the same facts give the same plan. */
export interface Candidate {
  readonly target: Target;
  readonly kind: "engine" | "cloud" | "peer" | "rental";
  /** It is in the route, but nobody serves it at the moment. */
  readonly served: boolean;
  readonly capabilities: readonly Capability[];
  /** Null: nobody said; it is asked and may refuse. */
  readonly features: readonly Feature[] | null;
  /** Tokens, prompt and answer together; 0: not known. */
  readonly contextLength: number;
  readonly data: DataClass;
  readonly region: string | null;
  readonly health: { readonly able: boolean; readonly reason: string };
  /** Of a machine that may be asleep; null: it is always on. */
  readonly power: PowerView | null;
  /** What a request does until such a machine is ready: as the route says, else as its own setting does. */
  readonly whileAsleep: WhileAsleep;
  readonly cooldown: {
    readonly state: CooldownState;
    /** Until it may be tried again; 0: now. */
    readonly leftMs: number;
    readonly reason: string | null;
  };
  /** Requests of ours it holds now. */
  readonly inFlight: number;
  /** Decayed averages; null: not measured, or too long ago. */
  readonly ttftMs: number | null;
  readonly totalMs: number | null;
  /**
   * What this request would be billed there; null: no price is known. 0 for what runs on machines of ours and on a rented one that
   * is on; of one that is asleep what waking it comes to at least.
   */
  readonly expectedNanos: Nanos | null;
  /** Exact prompt tokens as this target counts them; null: not counted. */
  readonly promptTokens: number | null;
  readonly weight: number;
}
