/**
 * Ends the rental of the machine this runs on: asks its market with the key for this one machine until the market knows it no more,
 * or the machine, and this process with it, is gone. Runs in the server process after the server has stopped.
 */
import { asFailure } from "../../domain/failure.ts";
import type { Clock, Log } from "../../domain/ports.ts";
import { afterAnswer, type EndAnswer } from "../../domain/rental/dead-man.ts";
import type { RentalDeed } from "../../domain/rental/this-rental.ts";
import type { Market } from "../market.ts";

/** The part of a market that a machine may ask about itself. */
export type OwnMarket = Pick<Market, "title" | "traits" | "stop" | "destroy">;

export interface EndRental {
  readonly market: OwnMarket;
  readonly instanceId: string;
  readonly deed: RentalDeed;
  readonly reason: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** One question to the market. */
const callLimitMs = 20_000;

/** What is still paid for, for people who read the log. */
const costs: Readonly<Record<EndAnswer, string>> = Object.freeze({
  done: "the market took the order; this machine still runs, and costs what it did, until it has carried it out",
  gone: "the market knows no such machine any more",
  again: "this machine still costs what it did: GPU, disk and traffic",
  failed: "this machine still costs what it did: GPU, disk and traffic",
});

/** Resolves when nothing is left to ask, or when `signal` ends the asking. Never rejects. */
export async function endRental(end: EndRental, signal: AbortSignal): Promise<"gone" | "left"> {
  const { market, instanceId, reason, clock, log } = end;
  // A stop that a market cannot do would leave the machine running for ever.
  const deed: RentalDeed = end.deed === "stop" && !market.traits.stops ? "destroy" : end.deed;
  // Timers of the clock keep no process alive, and this one must stay until the machine goes.
  const awake = setInterval(() => {}, 60_000);
  const before = { done: 0, other: 0 };
  try {
    for (let tries = 1; !signal.aborted; tries += 1) {
      const answer = await askOnce(end, deed, signal);
      if (signal.aborted) break;
      const fields = { market: market.title, instance: instanceId, deed, reason, tries, cost: costs[answer] };
      const kind = answer === "done" ? "done" : "other";
      const step = afterAnswer(answer, before[kind]);
      before[kind] += 1;
      if (step.kind === "over") {
        log.info(fields, "this rental is over");
        return "gone";
      }
      const next = { ...fields, askedAgainInMs: step.afterMs };
      if (answer === "done") log.info(next, "the market ends this rental");
      else log.warn(next, "the market has not ended this rental yet; it is asked again");
      await pause(step.afterMs, clock, signal);
    }
    log.warn(
      { market: market.title, instance: instanceId, deed },
      "asking the market was ended from outside; look there whether this machine still costs",
    );
    return "left";
  } finally {
    clearInterval(awake);
  }
}

async function askOnce(end: EndRental, deed: RentalDeed, signal: AbortSignal): Promise<EndAnswer> {
  const { market, instanceId, clock, log } = end;
  const call = new AbortController();
  const leave = () => call.abort(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  const cancel = clock.after(callLimitMs, () => call.abort(new Error(`no answer within ${callLimitMs} ms`)));
  try {
    return deed === "stop" ? await market.stop(instanceId, call.signal) : await market.destroy(instanceId, call.signal);
  } catch (thrown) {
    const { code, message } = asFailure(thrown);
    log.warn(
      { market: market.title, instance: instanceId, code, error: message },
      "the market did not end this rental",
    );
    return "failed";
  } finally {
    cancel();
    signal.removeEventListener("abort", leave);
  }
}

function pause(forMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(forMs, resolve);
    signal.addEventListener(
      "abort",
      () => {
        cancel();
        resolve();
      },
      { once: true },
    );
  });
}
