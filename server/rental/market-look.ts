/**
 * Looks at what is rented at one market, at a polite pace, while anything is: hands each list on and backs off while there is none.
 * Runs in the server; decides nothing.
 */
import { asFailure, Failure } from "../domain/failure.ts";
import type { Clock, Log } from "../domain/ports.ts";
import type { InstanceList } from "../domain/rental/market.ts";
import type { Market } from "./market.ts";

export interface LookParts {
  readonly market: Market;
  readonly clock: Clock;
  readonly log: Log;
  /** Between two looks, as things are. */
  everyMs(): number;
  /** Longest time one look may take. */
  readonly limitMs: number;
  /** Whether anything is rented there. */
  isWanted(): boolean;
  /** `askedAtMs`: what it says was true at some moment since then. */
  seen(list: InstanceList, askedAtMs: number): void;
  /** Words are as old as they were. */
  missed(): void;
}

export interface MarketLook {
  /** Something is expected to have changed: at the next moment that its limits allow. */
  soon(): void;
  stop(): void;
}

const longestWaitMs = 60_000;
/** A list that is taken at the moment of an order does not know of it. */
const soonMs = 500;

export function lookAtMarket(parts: LookParts): MarketLook {
  const { market, clock, log, limitMs } = parts;
  const everyMs = () => Math.max(parts.everyMs(), market.traits.instancesEveryMs);
  let isStopped = false;
  let isLooking = false;
  let failures = 0;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let dueAtMs = Number.POSITIVE_INFINITY;
  let cancel = () => {};

  function due(inMs: number): void {
    const atMs = clock.monotonicMs() + inMs;
    if (isStopped || atMs >= dueAtMs) return;
    cancel();
    dueAtMs = atMs;
    cancel = clock.after(inMs, () => void look());
  }

  async function look(): Promise<void> {
    dueAtMs = Number.POSITIVE_INFINITY;
    if (isStopped || !parts.isWanted()) return;
    if (!isLooking) {
      isLooking = true;
      const limit = new AbortController();
      const cancelLimit = clock.after(limitMs, () => limit.abort(new Error("no answer in time")));
      const askedAtMs = clock.now();
      try {
        const list = await market.instances(limit.signal);
        const trouble = troubleOf(list, clock.now());
        if (trouble !== null) throw new Failure("upstream_failed", `${market.title} ${trouble}`);
        if (failures > 0) log.info({ market: market.id }, "a market can be read again");
        failures = 0;
        if (!isStopped) parts.seen(list, askedAtMs);
      } catch (thrown) {
        failures += 1;
        const { code, message } = asFailure(thrown);
        if (failures === 1)
          log.warn(
            { market: market.id, code, err: message },
            "a market cannot be read; what is rented counts as running",
          );
        if (!isStopped) parts.missed();
      } finally {
        cancelLimit();
        isLooking = false;
        lookedAtMs = clock.monotonicMs();
      }
    }
    const usualMs = everyMs();
    due(Math.min(Math.max(usualMs, longestWaitMs), usualMs * 2 ** Math.min(6, failures)));
  }

  return {
    soon: () => {
      const politeMs = lookedAtMs + Math.min(everyMs(), market.traits.instancesEveryMs) - clock.monotonicMs();
      due(Math.max(soonMs, politeMs));
    },
    stop() {
      isStopped = true;
      cancel();
    },
  };
}

/** By our clock. */
const oldestListMs = 60_000;
/** A market's clock may be some hours off; more than this it tells of another day. */
const mostSkewMs = 6 * 3_600_000;

/** Why a list decides nothing (S-18); null: it may be believed. */
function troubleOf({ takenAtMs, skewMs }: InstanceList, nowMs: number): string | null {
  const ageMs = nowMs - takenAtMs;
  const minutes = (ms: number) => Math.round(ms / 60_000);
  if (ageMs > oldestListMs) return `gave a list that is ${minutes(ageMs)} min old.`;
  if (skewMs === null || Math.abs(skewMs) <= mostSkewMs) return null;
  return `gave a list of another time: its clock is ${minutes(Math.abs(skewMs))} min off.`;
}
