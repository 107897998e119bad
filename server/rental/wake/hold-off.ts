/** After a machine could not be had there is no other try for a while: each may cost money. In memory of the server process. */
import type { Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/ports.ts";

export interface HoldOff {
  /** `reason`: the same for people who see it beside the name already. */
  failed(failure: Failure, reason: string): void;
  worked(): void;
  /** Why nothing is tried now, and for how long still; null: it may be. */
  held(): { readonly failure: Failure; readonly reason: string; readonly leftMs: number } | null;
}

const firstMs = 30_000;
const longestMs = 1_800_000;

export function createHoldOff(clock: Clock): HoldOff {
  let strikes = 0;
  let last: { readonly failure: Failure; readonly reason: string; readonly untilMs: number } | null = null;
  return {
    failed(failure, reason) {
      strikes += 1;
      const ms = Math.min(longestMs, firstMs * 2 ** Math.min(strikes - 1, 10));
      last = { failure, reason, untilMs: clock.monotonicMs() + ms };
    },
    worked() {
      strikes = 0;
      last = null;
    },
    held() {
      const leftMs = last === null ? 0 : last.untilMs - clock.monotonicMs();
      return last !== null && leftMs > 0 ? { ...last, leftMs } : null;
    },
  };
}
