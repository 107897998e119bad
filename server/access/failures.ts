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

interface Bucket {
  readonly tries: number;
  readonly atMs: number;
}

export function createWrongKeyLimit(clock: Clock): WrongKeyLimit {
  /** Least recently seen first. */
  const buckets = new Map<string, Bucket>();

  /** Tries left now; they come back one by one. */
  function left(address: string): number {
    const bucket = buckets.get(address);
    if (bucket === undefined) return triesPerMinute;
    return Math.min(triesPerMinute, bucket.tries + (clock.monotonicMs() - bucket.atMs) / msPerTry);
  }

  function wait(tries: number): number | null {
    return tries >= 1 ? null : Math.ceil(((1 - tries) * msPerTry) / 1000);
  }

  return {
    note(address) {
      const tries = left(address);
      const seconds = wait(tries);
      buckets.delete(address);
      buckets.set(address, { tries: seconds === null ? tries - 1 : tries, atMs: clock.monotonicMs() });
      const oldest = buckets.keys().next();
      if (buckets.size > mostAddresses && !oldest.done) buckets.delete(oldest.value);
      return seconds;
    },
    waitSeconds: (address) => wait(left(address)),
  };
}
