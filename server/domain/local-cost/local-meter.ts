/** What the rooms around the engine tell and ask the box's own meter. Pure types. */
import type { Cost } from "../money.ts";
import type { Target } from "../routing/target.ts";

/** Told by whoever hands requests to the engine. */
export interface WorkMeter {
  /** An attempt has come to the engine; nothing is computed yet. */
  opened(requestId: string, model: string): void;
  began(requestId: string, model: string): void;
  ended(requestId: string, model: string): void;
}

/** Asked by whoever books attempts. */
export interface LocalCost {
  /** What an attempt cost, when it has ended, once. Null: its target is not metered, and its cost is not known. */
  take(requestId: string, target: Target): Cost | null;
  /** An attempt was closed without a cost. */
  forget(requestId: string, target: Target): void;
}
