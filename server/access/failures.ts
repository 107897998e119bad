/**
 * Slows down guessing: ten wrong keys a minute from one address, then 429 with a wait that doubles with every further
 * wrong key, up to a minute. Keys of ours cannot be guessed anyway; this keeps the noise down and protects an admin key
 * that a person chose. Runs in the server; the clock is passed in.
 */
import type { Clock } from "../domain/ports.ts";

const triesPerMinute = 10;
const msPerTry = 60_000 / triesPerMinute;
/** No longer: a tool with an old key on the owner's own machine must not lock its owner out for the day. */
const longestMsPerTry = 60_000;
/** An address that tried no wrong key for this long begins anew. */
const forgottenMs = 3_600_000;
/** Addresses remembered; past it the one that was quiet for longest is forgotten. */
const mostAddresses = 4096;

export interface WrongKeyLimit {
  /** One more wrong key. Null: still within the limit; else the seconds until the next try is heard. */
  note(address: string): number | null;
  /** The same answer, without counting a try. */
  waitSeconds(address: string): number | null;
}

interface Attempts {
  /** When all its tries will be back; each try moves that on. */
  readonly allBackMs: number;
  /** Wrong keys that were heard since it began. */
  readonly tries: number;
  readonly lastMs: number;
}

/**
 * Whose tries count together. Whoever has one IPv6 address has the 2^64 of its network, so those are one; an IPv4 address
 * is the same however the socket writes it.
 */
export function addressGroup(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  if (!plain.includes(":") || plain === "::1") return plain;
  const [head = "", tail = ""] = plain.toLowerCase().split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === "" ? [] : tail.split(":");
  const zeros = plain.includes("::")
    ? Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0")
    : [];
  return `${[...before, ...zeros, ...after].slice(0, 4).join(":")}::/64`;
}

export function createWrongKeyLimit(clock: Clock): WrongKeyLimit {
  /** Least recently seen first. */
  const byAddress = new Map<string, Attempts>();

  function attemptsOf(group: string): Attempts | null {
    const attempts = byAddress.get(group);
    return attempts === undefined || clock.monotonicMs() - attempts.lastMs >= forgottenMs ? null : attempts;
  }

  /** How long until one try is back; 0 or less: there is one now. */
  function waitMs(attempts: Attempts | null): number {
    const owedMs = (attempts?.allBackMs ?? 0) - clock.monotonicMs();
    return owedMs - (triesPerMinute - 1) * msPerTry;
  }

  function secondsOf(ms: number): number | null {
    return ms <= 0 ? null : Math.ceil(ms / 1000);
  }

  return {
    note(address) {
      const group = addressGroup(address);
      const nowMs = clock.monotonicMs();
      const before = attemptsOf(group) ?? { allBackMs: nowMs, tries: 0, lastMs: nowMs };
      const seconds = secondsOf(waitMs(before));
      // A try that was not heard costs nothing: a client that keeps knocking is let in when its time has come.
      const costMs = Math.min(longestMsPerTry, msPerTry * 2 ** Math.max(0, before.tries + 1 - triesPerMinute));
      const after: Attempts =
        seconds === null
          ? { allBackMs: Math.max(before.allBackMs, nowMs) + costMs, tries: before.tries + 1, lastMs: nowMs }
          : before;
      byAddress.delete(group);
      byAddress.set(group, after);
      const oldest = byAddress.keys().next();
      if (byAddress.size > mostAddresses && !oldest.done) byAddress.delete(oldest.value);
      return seconds;
    },
    waitSeconds: (address) => secondsOf(waitMs(attemptsOf(addressGroup(address)))),
  };
}
