/**
 * Where requests wait for room in their limits: by priority, then in the order they came, up to a set time. Who waits for a
 * limit is not overtaken in it by somebody who wants less. Runs in the server; the clock is passed in.
 */
import type { Clock } from "../domain/ports.ts";
import type { Blocked, Limit, Want } from "./limit.ts";

export interface Turn {
  readonly wants: readonly Want[];
  /** Higher ones first. */
  readonly priority: number;
  /** Ends the wait; asked for only when there is one. */
  readonly signal: (() => AbortSignal) | null;
}

export interface WaitingRoom {
  /**
   * Takes all that is wanted at once, or nothing. Null: taken. A promise: it waits. Throws (or rejects with) what `refuse`
   * makes of the limit that is in the way.
   */
  take(turn: Turn, refuse: (blocked: Blocked) => Error): Promise<void> | null;
  /** There may be room now: somebody left, or gave tokens back. */
  freed(): void;
  waiting(): number;
}

/** Past it nobody waits: each look at the line reads all of it. */
const mostWaiting = 1_000;

interface Waiter extends Turn {
  readonly done: () => void;
  readonly give: (failure: Error) => void;
  readonly refuse: (blocked: Blocked) => Error;
  /** What was in its way at the last look. */
  blocked: Blocked;
}

function isWanted(wants: readonly Want[], limit: Limit): boolean {
  return wants.some((want) => want.limit === limit);
}

export function createWaitingRoom(clock: Clock, longestWaitMs: number): WaitingRoom {
  /** In the order they are let in. */
  const waiters: Waiter[] = [];
  let cancelLook: (() => void) | null = null;

  function firstBlocked(wants: readonly Want[], nowMs: number): Blocked | null {
    for (const want of wants) {
      const blocked = want.limit.blocks(want, nowMs);
      if (blocked !== null) return blocked;
    }
    return null;
  }

  function takeAll(wants: readonly Want[], nowMs: number): void {
    for (const want of wants) want.limit.take(want, nowMs);
  }

  /** Lets in whoever can be, and comes back when the next one might be. */
  function look(): void {
    cancelLook?.();
    cancelLook = null;
    const nowMs = clock.monotonicMs();
    const claimed = new Set<Limit>();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const waiter of [...waiters]) {
      if (waiter.wants.some(({ limit }) => claimed.has(limit))) continue;
      const blocked = firstBlocked(waiter.wants, nowMs);
      if (blocked === null) {
        takeAll(waiter.wants, nowMs);
        waiter.done();
        continue;
      }
      waiter.blocked = blocked;
      claimed.add(blocked.limit);
      if (blocked.waitMs !== null) nextMs = Math.min(nextMs, blocked.waitMs);
    }
    if (nextMs < Number.POSITIVE_INFINITY) cancelLook = clock.after(Math.max(1, Math.ceil(nextMs)), look);
  }

  function wait(turn: Turn, blocked: Blocked, refuse: (blocked: Blocked) => Error): Promise<void> {
    return new Promise((resolve, reject) => {
      const signal = turn.signal?.() ?? null;
      const out = () => {
        cancelTimer();
        signal?.removeEventListener("abort", left);
        const index = waiters.indexOf(waiter);
        if (index >= 0) waiters.splice(index, 1);
      };
      const waiter: Waiter = {
        ...turn,
        refuse,
        blocked,
        done: () => {
          out();
          resolve();
        },
        give: (failure) => {
          out();
          reject(failure);
        },
      };
      const left = () => {
        waiter.give(refuse(waiter.blocked));
        // Whoever stood behind it may be next.
        look();
      };
      const cancelTimer = clock.after(longestWaitMs, left);
      const behind = waiters.findIndex(({ priority }) => priority < turn.priority);
      waiters.splice(behind < 0 ? waiters.length : behind, 0, waiter);
      if (signal?.aborted === true) {
        left();
        return;
      }
      signal?.addEventListener("abort", left, { once: true });
      look();
    });
  }

  return {
    take(turn, refuse) {
      const nowMs = clock.monotonicMs();
      const blocked = firstBlocked(turn.wants, nowMs);
      const before = waiters.find(({ wants }) => wants.some(({ limit }) => isWanted(turn.wants, limit)));
      const blocking = blocked ?? before?.blocked;
      if (blocking === undefined) {
        takeAll(turn.wants, nowMs);
        return null;
      }
      const tooLong = blocked !== null && (blocked.waitMs ?? 0) > longestWaitMs;
      if (longestWaitMs === 0 || tooLong || waiters.length >= mostWaiting) throw refuse(blocking);
      return wait(turn, blocking, refuse);
    },
    freed() {
      if (waiters.length > 0) look();
    },
    waiting: () => waiters.length,
  };
}
