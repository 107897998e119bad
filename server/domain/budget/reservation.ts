/** What an attempt that costs money asks of the budgets before it is made, and what it gets. Pure types. */
import type { UpstreamName } from "../attempt-cost.ts";
import type { Caller } from "../caller.ts";
import type { Cost, Nanos } from "../money.ts";
import type { Usage } from "../usage.ts";
import type { AttemptSize } from "./attempt-size.ts";

export interface ReserveWish {
  readonly requestId: string;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly caller: Caller;
  readonly alias: string;
  readonly upstream: UpstreamName;
  /** Epoch milliseconds: the request counts where it began. */
  readonly startedAtMs: number;
  readonly size: AttemptSize;
}

export interface Reservation {
  /** The most it may cost. */
  readonly heldNanos: Nanos;
  /** The bound of each answer, to be sent upstream; null: no budget asks for one. */
  readonly maxTokens: number | null;
  /** Words about budgets that are nearly used up, or are and are soft. */
  readonly warnings: readonly string[];
  /** Once; later calls change nothing. */
  settle(cost: Cost, usage: Usage): SettledAttempt;
  /** Books all that is held: nobody knows what became of the attempt. */
  forfeit(): void;
}

export interface SettledAttempt {
  /** More than was held: the provider took it all the same. */
  readonly isOverrun: boolean;
  /** What budgets count where the cost is not known; null: the cost. */
  readonly countedNanos: Nanos | null;
}

/** Throws Failure `budget_exceeded` before anything is sent. */
export type Reserve = (wish: ReserveWish) => Reservation;
