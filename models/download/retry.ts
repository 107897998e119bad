/**
 * When a download tries again: a pure decision from what went wrong and how often without a single new byte, and the loop
 * for questions to the Hub. Bytes have a loop of their own in `fetch-file.ts`, because several connections share one line; it
 * obeys the same decision. (The router's loop is for requests: a request may go elsewhere, a download goes on where it
 * stopped.)
 */
import type { Clock } from "../../server/domain/ports.ts";
import { asTrouble, type DownloadTrouble } from "./trouble.ts";
import { waitFor } from "../../server/platform/wait.ts";

export interface RetryFacts {
  /** Troubles in a row without a new byte between them. */
  readonly fruitless: number;
  /** Of the last new byte, or of the beginning. Monotonic milliseconds. */
  readonly lastByteMs: number;
  /** Waits since then that the other side asked for: they are not counted against our patience. */
  readonly askedWaitMs: number;
}

export type RetryOrder =
  | { readonly kind: "try"; readonly delayMs: number; readonly freshLink: boolean }
  | { readonly kind: "give-up" };

export interface RetryTimes {
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** How long tries without a new byte go on. */
  readonly patienceMs: number;
}

/** Wrong answers in a row that are believed. */
const mostDoubts = 4;
/** Longest wait that somebody may impose; beyond it the download fails and says so. */
export const longestAskedWaitMs = 60 * 60_000;

/** `chance` is a random number from 0 to 1: downloads that lost the same line do not come back in step. */
export function nextTry(
  trouble: DownloadTrouble,
  facts: RetryFacts,
  nowMs: number,
  chance: number,
  times: RetryTimes,
): RetryOrder {
  const { remedy } = trouble;
  if (remedy.kind === "never") return { kind: "give-up" };
  const idleMs = nowMs - facts.lastByteMs;
  // Said by the other side, so it is not shortened. Zero says nothing, and would be asked without end.
  if (remedy.kind === "wait" && remedy.waitMs > 0) {
    const isTooLong = remedy.waitMs > longestAskedWaitMs || idleMs > longestAskedWaitMs + times.patienceMs;
    return isTooLong ? { kind: "give-up" } : { kind: "try", delayMs: remedy.waitMs, freshLink: true };
  }
  if (remedy.kind === "doubt" && facts.fruitless > mostDoubts) return { kind: "give-up" };
  if (idleMs - facts.askedWaitMs > times.patienceMs) return { kind: "give-up" };
  const freshLink = remedy.kind === "doubt" || facts.fruitless > 1;
  // After a cut in the middle of data the next try is at once.
  if (facts.fruitless <= 1) return { kind: "try", delayMs: 0, freshLink };
  const grown = times.firstDelayMs * 2 ** Math.min(facts.fruitless - 2, 16);
  return { kind: "try", delayMs: Math.min(times.longestDelayMs, grown) * (0.75 + chance / 2), freshLink };
}

export interface KeepTrying {
  readonly clock: Clock;
  readonly times: RetryTimes;
  readonly signal: AbortSignal;
  onTrouble(trouble: DownloadTrouble, waitMs: number): void;
}

/** Asks until there is an answer. Throws DownloadTrouble, or the signal's reason. */
export async function keepTrying<Result>(ask: () => Promise<Result>, ports: KeepTrying): Promise<Result> {
  const { clock, times, signal } = ports;
  const lastByteMs = clock.monotonicMs();
  let askedWaitMs = 0;
  for (let fruitless = 1; ; fruitless += 1) {
    try {
      return await ask();
    } catch (thrown) {
      signal.throwIfAborted();
      const trouble = asTrouble(thrown);
      const facts = { fruitless, lastByteMs, askedWaitMs };
      const next = nextTry(trouble, facts, clock.monotonicMs(), Math.random(), times);
      if (next.kind === "give-up") throw trouble;
      if (trouble.remedy.kind === "wait") askedWaitMs += next.delayMs;
      ports.onTrouble(trouble, next.delayMs);
      await waitFor(clock, next.delayMs, signal);
    }
  }
}
