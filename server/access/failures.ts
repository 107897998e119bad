/**
 * Slows down guessing: ten wrong keys a minute from one address, then 429. Keys of ours cannot be guessed anyway; this
 * keeps the noise down and protects an admin key that a person chose. Runs in the server; the clock is passed in.
 */
import type { Clock } from "../domain/ports.ts";

const triesPerMinute = 10;
const msPerTry = 60_000 / triesPerMinute;
/** Addresses remembered; past it the one that was quiet for longest is forgotten. */
const mostAddresses = 4096;

export interface WrongKeyLimit {
  /** One more wrong key. Null: still within the limit; else the seconds until the next try is heard. */
  note(address: string): number | null;
  /** The same answer, without counting a try. */
  waitSeconds(address: string): number | null;
}

export function createWrongKeyLimit(clock: Clock): WrongKeyLimit {
  /** Address → when all its tries will be back; each try moves that on. Least recently seen first. */
  const allBackMs = new Map<string, number>();

  /** How long until one try is back; 0 or less: there is one now. */
  function waitMs(address: string): number {
    const owedMs = (allBackMs.get(address) ?? 0) - clock.monotonicMs();
    return owedMs - (triesPerMinute - 1) * msPerTry;
  }

  function secondsOf(ms: number): number | null {
    return ms <= 0 ? null : Math.ceil(ms / 1000);
  }

  return {
    note(address) {
      const seconds = secondsOf(waitMs(address));
      const before = allBackMs.get(address) ?? 0;
      const after = seconds === null ? Math.max(before, clock.monotonicMs()) + msPerTry : before;
      allBackMs.delete(address);
      allBackMs.set(address, after);
      const oldest = allBackMs.keys().next();
      if (allBackMs.size > mostAddresses && !oldest.done) allBackMs.delete(oldest.value);
      return seconds;
    },
    waitSeconds: (address) => secondsOf(waitMs(address)),
  };
}
