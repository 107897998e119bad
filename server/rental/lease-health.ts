/**
 * Whether a rented machine answers: one that boots is ready with its first token, one that is ready must go on answering. Runs in the
 * server; the question itself is handed in.
 */
import type { Clock } from "../domain/ports.ts";
import type { LeaseView } from "../domain/rental/lease.ts";
import { isAdopted } from "../domain/rental/lease-record.ts";
import type { Keeper } from "./lease-keeper.ts";

/** `answers`: a token came. `reachable`: somebody is there; asked of a machine that may be busy. */
export type LeaseProbe = (lease: LeaseView, depth: "answers" | "reachable", signal: AbortSignal) => Promise<boolean>;

/** Two looks in a row that fail make an interruption: noticed within 30 s, also where each takes all its time. */
export const usualHealthMs = 8_000;
/** After one that failed. */
const secondLookMs = 3_000;
const bootEveryMs = 3_000;
const limitMs = { answers: 120_000, reachable: 8_000 } as const;
const failuresThatCount = 2;

export interface LeaseHealth {
  /** Asked now, whatever was planned. */
  now(): void;
  /** The lease has changed: it may be one to ask now. */
  changed(): void;
  stop(): void;
}

export function watchHealth(
  keeper: Keeper,
  probe: LeaseProbe,
  clock: Clock,
  everyMs: number,
  told: (answers: boolean) => void,
): LeaseHealth {
  let failures = 0;
  let isAsking = false;
  let isStopped = false;
  let cancel = () => {};
  let abort: AbortController | null = null;

  /** Only its own answer says that a machine of the settings is back. */
  const isAway = () => keeper.record.state === "interrupted" && isAdopted(keeper.record);

  let isPlanned = false;
  function plan(ms: number): void {
    cancel();
    if (isStopped) return;
    isPlanned = true;
    cancel = clock.after(ms, () => {
      isPlanned = false;
      void look();
    });
  }

  async function look(): Promise<void> {
    if (isAsking || isStopped) return;
    const { state, address, seen, wish } = keeper.record;
    const isUp = seen.state === "running" || seen.state === "frozen";
    const depth = state === "ready" ? "reachable" : "answers";
    const isAwaited = (state === "starting" && isUp) || isAway();
    const mayAsk = address !== null && wish === "run" && (state === "ready" || isAwaited);
    if (!mayAsk) {
      failures = 0;
      if (state === "starting") plan(bootEveryMs);
      return;
    }
    isAsking = true;
    abort = new AbortController();
    const { signal } = abort;
    const cancelLimit = clock.after(limitMs[depth], () => abort?.abort(new Error("no answer in time")));
    let answers = false;
    try {
      answers = await probe(keeper.view(), depth, signal);
    } catch {
      // No answer is an answer: it does not work.
    } finally {
      cancelLimit();
      isAsking = false;
      abort = null;
    }
    if (isStopped) return;
    failures = answers ? 0 : failures + 1;
    if (answers && state !== "ready") keeper.answered();
    if (!answers && failures >= failuresThatCount) keeper.silent();
    if (!answers && state === "ready" && failures >= failuresThatCount) {
      failures = 0;
      keeper.interrupt("no_answer", "health", "two questions in a row had no answer");
    }
    told(answers);
    const isReady = keeper.record.state === "ready";
    plan(isReady && failures > 0 ? secondLookMs : isReady || isAway() ? everyMs : bootEveryMs);
  }

  plan(0);
  return {
    now: () => plan(0),
    changed() {
      const { state } = keeper.record;
      if (isPlanned || isAsking) return;
      if (state === "starting") plan(bootEveryMs);
      else if (state === "ready" || isAway()) plan(everyMs);
    },
    stop() {
      isStopped = true;
      cancel();
      abort?.abort(new Error("nobody wants to know any more"));
    },
  };
}
