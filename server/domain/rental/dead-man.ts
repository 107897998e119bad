/**
 * The dead-man switch of a rented machine: when it ends itself because home is silent or its time is over, and how it goes on
 * asking its market until that is done. Pure. Home's own timers stay at home: this is for the case that there is no home any more.
 */
import type { RentalDeed } from "./this-rental.ts";

export interface DeadManRules {
  /** Home silent for so long ends it; null: nobody waits for home. */
  readonly homeSilenceMs: number | null;
  readonly whenSilent: RentalDeed;
  /** Epoch milliseconds; null: no end was stated. */
  readonly endsAtMs: number | null;
}

export interface DeadManFacts {
  readonly monotonicMs: number;
  /** Epoch milliseconds. */
  readonly nowMs: number;
  /** When home was heard last, on the monotonic clock; the start of the server counts. */
  readonly heardMs: number;
}

export type DeadManVerdict =
  /** Look again after so long; null: never. */
  | { readonly kind: "wait"; readonly forMs: number | null }
  | {
      readonly kind: "end";
      readonly deed: RentalDeed;
      readonly cause: "home_silent" | "time_over";
      readonly reason: string;
    };

/** The wall's clock may be set: an end by it is looked at this often. */
const lookAgainMs = 60_000;

export function deadMan(facts: DeadManFacts, rules: DeadManRules): DeadManVerdict {
  const { endsAtMs, homeSilenceMs, whenSilent } = rules;
  if (endsAtMs !== null && facts.nowMs >= endsAtMs) {
    return { kind: "end", deed: "destroy", cause: "time_over", reason: "the time of this rental is over" };
  }
  const silentMs = facts.monotonicMs - facts.heardMs;
  if (homeSilenceMs !== null && silentMs >= homeSilenceMs) {
    const reason = `home was not heard for ${Math.round(silentMs / 1_000)} s`;
    return { kind: "end", deed: whenSilent, cause: "home_silent", reason };
  }
  const waits = [
    ...(endsAtMs === null ? [] : [Math.min(lookAgainMs, endsAtMs - facts.nowMs)]),
    ...(homeSilenceMs === null ? [] : [homeSilenceMs - silentMs]),
  ];
  return { kind: "wait", forMs: waits.length === 0 ? null : Math.max(1, Math.min(...waits)) };
}

/** What came of asking the market: its own words, or an error. */
export type EndAnswer = "done" | "gone" | "again" | "failed";

export type EndStep =
  /** The market knows no such machine any more: nothing is left to ask. */
  { readonly kind: "over" } | { readonly kind: "ask-again"; readonly afterMs: number };

const firstWaitMs = 1_000;
const longestWaitMs = 60_000;
/** A market that said "done" ends the machine within this time, and this process with it. */
const doneWaitMs = 60_000;
const longestDoneWaitMs = 600_000;

/**
 * What follows an answer. `before` is how many answers of its kind (done; anything else) came before it. A "done" is believed when the machine is
 * gone: as long as this process lives, it costs.
 */
export function afterAnswer(answer: EndAnswer, before: number): EndStep {
  if (answer === "gone") return { kind: "over" };
  const [first, longest] = answer === "done" ? [doneWaitMs, longestDoneWaitMs] : [firstWaitMs, longestWaitMs];
  return { kind: "ask-again", afterMs: Math.min(longest, first * 2 ** Math.min(before, 20)) };
}

/** How long running answers may take when the server is told to stop: markets send SIGKILL 5 s after SIGTERM. Milliseconds. */
export function stopGraceMs(setting: "auto" | number, isRental: boolean): number {
  if (setting !== "auto") return setting;
  return isRental ? 3_000 : 10_000;
}

/** What a rented machine does when nobody uses it, for a setting that leaves it open. */
export function idleStepOf<Step extends string>(
  setting: Step | "auto",
  { headless, canEnd }: { readonly headless: boolean; readonly canEnd: boolean },
): Step | "stay" | "stop-rental" {
  if (setting !== "auto") return setting;
  return headless && canEnd ? "stop-rental" : "stay";
}
