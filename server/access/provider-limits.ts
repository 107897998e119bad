/**
 * Limits per provider, asked for each attempt there: what an account of ours may send, kept on our side of the wire. Runs in
 * the server. An attempt that finds no room waits up to a set time, and is refused in a way that lets another target try.
 */
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";
import type { AttemptPass } from "../domain/rate.ts";
import { limitsByName, type SomeLimits } from "./limit.ts";
import { createWaitingRoom } from "./waiting-room.ts";

export interface AttemptWish {
  readonly priority: number;
  /** Asked only where tokens have a limit. */
  readonly estimateTokens: () => number;
  readonly signal: AbortSignal | null;
}

/** Null: this provider has no limit. Throws, or rejects with, Failure `queue_full`. */
export type AdmitAttempt = (provider: string, wish: AttemptWish) => AttemptPass | Promise<AttemptPass> | null;

export function createProviderLimits(
  settings: {
    readonly waitMs?: number;
    /** By the provider's id; `*`: every one that is not named. */
    readonly providers?: Readonly<Record<string, SomeLimits>>;
  },
  clock: Clock,
): AdmitAttempt {
  const limitOf = limitsByName(settings.providers, "", () => clock.monotonicMs());
  const room = createWaitingRoom(clock, settings.waitMs ?? 0);
  return (provider, { priority, estimateTokens, signal }) => {
    const limit = limitOf(provider);
    if (limit === null) return null;
    const tokens = limit.countsTokens ? estimateTokens() : 0;
    let settled = false;
    let left = false;
    const pass: AttemptPass = {
      settle(used) {
        if (settled) return;
        settled = true;
        limit.correct(used - tokens, clock.monotonicMs());
        room.freed();
      },
      leave() {
        if (left) return;
        left = true;
        limit.leave();
        room.freed();
      },
    };
    const wants = [{ limit, request: true, place: true, tokens }];
    const turn = { wants, priority, signal: signal === null ? null : () => signal };
    const waiting = room.take(turn, ({ words, waitMs }) => {
      const retryAfter = waitMs === null ? {} : { retryAfterSeconds: waitMs / 1_000 };
      return new Failure("queue_full", `The limit set here for ${provider} is reached: ${words}.`, retryAfter);
    });
    return waiting === null ? pass : waiting.then(() => pass);
  };
}
