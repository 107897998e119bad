/**
 * Which models are in memory and who waits for which: the facts of residency, what may happen to them and what is ordered.
 * Pure types. The rules are in `step.ts`; `backends/engine/residency.ts` carries the orders out.
 */
import type { Footprint } from "../fit/verdict.ts";
import type { Capacity } from "./memory.ts";

/**
 * `away`: takes no memory. `coming`: being loaded. `here`: answers. `going`: was told to end and still takes its memory.
 */
export type Place = "away" | "coming" | "here" | "going";

/** A request that waits for a model. */
export interface Ticket {
  readonly id: string;
  /** Counts up over all models: who came first. */
  readonly arrival: number;
}

export interface Resident {
  readonly model: string;
  readonly place: Place;
  /** What it takes while it is not away. */
  readonly footprint: Footprint;
  /** What its next load would take. */
  readonly wish: Footprint;
  /** Tickets that were granted and have not left. */
  readonly users: ReadonlySet<string>;
  /** In order of arrival. */
  readonly waiting: readonly Ticket[];
  /** When somebody last began or ended to use it, or when it came. Monotonic, as all times here. */
  readonly usedAtMs: number;
  readonly hereSinceMs: number;
  /** Before this it is not pushed out for another. */
  readonly stayUntilMs: number;
  /** Unused for so long it leaves; null: it stays. */
  readonly keepAliveMs: number | null;
  /** Neither pushed out nor unloaded by time. */
  readonly pinned: boolean;
  /** To be unloaded when its users are done; nobody new is let in. */
  readonly leaving: boolean;
  /** Its file is gone: it leaves for good. */
  readonly removed: boolean;
}

export interface ResidencyState {
  readonly capacity: Capacity;
  /** A model that was loaded for somebody stays at least so long, however many wait for its room. */
  readonly minimumStayMs: number;
  readonly arrivals: number;
  readonly models: ReadonlyMap<string, Resident>;
}

export type ResidencyEvent =
  | {
      readonly type: "added";
      readonly model: string;
      readonly keepAliveMs: number | null;
      readonly pinned: boolean;
    }
  | { readonly type: "removed"; readonly model: string }
  /** A request wants it; `wish` is what loading it would take. */
  | { readonly type: "asked"; readonly model: string; readonly ticket: string; readonly wish: Footprint }
  /** The request has what it wanted, or does not want it any more. */
  | { readonly type: "left"; readonly model: string; readonly ticket: string }
  /** To be loaded if there is room as things are. */
  | { readonly type: "preload"; readonly model: string; readonly wish: Footprint }
  | { readonly type: "loaded"; readonly model: string }
  /** It could not be loaded, or will not come back; it takes no memory. */
  | { readonly type: "failed"; readonly model: string }
  /** Its process has ended, as ordered. */
  | { readonly type: "gone"; readonly model: string }
  /** Somebody wants it out; its users finish first. */
  | { readonly type: "unload"; readonly model: string }
  | { readonly type: "pin"; readonly model: string; readonly pinned: boolean }
  /** More is known of the machine. What is loaded stays, whatever there is room for. */
  | { readonly type: "capacity"; readonly capacity: Capacity }
  | { readonly type: "tick" };

export type UnloadReason =
  | { readonly type: "unused" }
  | { readonly type: "room"; readonly for: string }
  | { readonly type: "asked" }
  | { readonly type: "removed" };

export type RefusalReason =
  /** Larger than everything models may take. */
  | { readonly type: "too-large"; readonly wish: Footprint }
  /** It would fit, but for these. */
  | { readonly type: "pinned"; readonly wish: Footprint; readonly by: readonly string[] }
  | { readonly type: "failed" }
  | { readonly type: "removed" };

export type ResidencyOrder =
  | { readonly type: "load"; readonly model: string }
  | { readonly type: "unload"; readonly model: string; readonly reason: UnloadReason }
  | { readonly type: "grant"; readonly model: string; readonly ticket: string }
  | { readonly type: "refuse"; readonly model: string; readonly ticket: string; readonly reason: RefusalReason };

export interface Step {
  readonly state: ResidencyState;
  /** In the order in which they are to be carried out. */
  readonly orders: readonly ResidencyOrder[];
  /** When to look again if nothing happens; null: only something that happens changes anything. */
  readonly wakeAtMs: number | null;
}

export function emptyResidency(capacity: Capacity, minimumStayMs: number): ResidencyState {
  return { capacity, minimumStayMs, arrivals: 0, models: new Map() };
}
