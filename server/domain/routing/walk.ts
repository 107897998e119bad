/**
 * What follows a failed attempt: the same target again, another one of its group, the next group, or nothing. Pure; the router
 * carries it out and is the only one to do so. Times are milliseconds.
 */
import { type Failure, type FailureCode, failureKinds } from "../failure.ts";
import type { Plan, PlanStep } from "./plan.ts";
import type { ReasonCode } from "./reasons.ts";
import type { FallbackWish } from "./route.ts";

/** What became of one step of the plan so far. */
export interface Tried {
  readonly tries: number;
  readonly code: FailureCode | null;
  /** The upstream asked not to be asked before. */
  readonly notBeforeMs: number;
}

export interface Walk {
  readonly attempts: number;
  /** Like the plan's attempts. */
  readonly steps: readonly Tried[];
}

export interface WalkFacts {
  /** The attempt that has just failed. */
  readonly at: number;
  readonly failure: Pick<Failure, "code" | "coolDownMs">;
  /** The backend has a key that is not cooling down. */
  readonly anotherKey: boolean;
  /** For each step how long its target is still left alone; 0: it may be asked. */
  readonly coolingMs: readonly number[];
  readonly nowMs: number;
  /** Since the request came. */
  readonly elapsedMs: number;
  /** From 0 up to, and without, 1. */
  readonly random: number;
}

export type WalkOrder =
  | { readonly do: "ask"; readonly at: number; readonly waitMs: number; readonly reason: ReasonCode }
  | { readonly do: "stop" };

const firstBackoffMs = 250;
const longestBackoffMs = 5_000;
/** Waiting for a target while another one could answer now: a first pause, and no `Retry-After`. A client waits, too. */
const patienceWithOthersMs = firstBackoffMs;
/** Waiting where there is no other: as long as clients' own patience easily bears. */
const patienceMs = 20_000;

/** Another key may mend these, and time does not. */
const needsPerson: ReadonlySet<FailureCode> = new Set<FailureCode>(["upstream_key_refused", "upstream_quota"]);

const stop: WalkOrder = Object.freeze({ do: "stop" });

export function walkOf(plan: Plan): Walk {
  return { attempts: 0, steps: plan.attempts.map(() => ({ tries: 0, code: null, notBeforeMs: 0 })) };
}

export function afterTry(walk: Walk, at: number, failure: Pick<Failure, "code" | "coolDownMs">, nowMs: number): Walk {
  return {
    // What was refused here before anything was sent uses no try up: the next target may be the one that costs nothing.
    attempts: walk.attempts + (refusedHere(failure.code) ? 0 : 1),
    steps: walk.steps.map((step, index) =>
      index === at
        ? { tries: step.tries + 1, code: failure.code, notBeforeMs: nowMs + (failure.coolDownMs ?? 0) }
        : step,
    ),
  };
}

/** The first target that may be asked; one may have begun to cool down since the plan was made. */
export function firstStep(plan: Plan, coolingMs: readonly number[]): WalkOrder {
  const at = plan.attempts.findIndex((_, index) => (coolingMs[index] ?? 0) === 0);
  const step = plan.attempts[at];
  return step === undefined ? stop : { do: "ask", at, waitMs: 0, reason: step.reason };
}

/** `walk` has the failed attempt in it already. */
export function nextStep(plan: Plan, walk: Walk, facts: WalkFacts): WalkOrder {
  const { limits, fallbackOn } = plan.route;
  const failed = plan.attempts[facts.at];
  if (failed === undefined || walk.attempts >= limits.maxAttempts) return stop;
  if (!mayMove(facts.failure.code, fallbackOn)) return stop;
  if (limits.deadlineMs !== null && facts.elapsedMs >= limits.deadlineMs) return stop;

  if (coolsKey(facts.failure.code) && facts.anotherKey) {
    return { do: "ask", at: facts.at, waitMs: 0, reason: "other_key" };
  }
  const helps = (step: PlanStep) => mayHelp(step, failed, facts.failure.code);
  const isNew = (step: PlanStep, index: number) =>
    walk.steps[index]?.tries === 0 && (facts.coolingMs[index] ?? 0) === 0 && helps(step);
  const reasonOf = (step: PlanStep): ReasonCode =>
    facts.failure.code === "context_length_exceeded" ? "longer_context" : step.reason;

  const near = plan.attempts.findIndex((step, index) => step.group === failed.group && isNew(step, index));
  if (near !== -1) return ask(plan, near, reasonOf);
  const laterGroups = new Set(plan.attempts.slice(facts.at).map(({ group }) => group));
  laterGroups.delete(failed.group);
  const far = plan.attempts.findIndex((step, index) => laterGroups.has(step.group) && isNew(step, index));
  // Where nobody new is left, also a target of an earlier group, which was left because it asked for time.
  const again = soonestRetry(plan, walk, facts, far === -1 ? null : failed.group);
  if (again !== null) {
    const patience = far === -1 ? patienceMs : patienceWithOthersMs;
    const fits = limits.deadlineMs === null || facts.elapsedMs + again.waitMs < limits.deadlineMs;
    if (again.waitMs <= patience && fits) return { do: "ask", ...again, reason: "retry" };
  }
  return far === -1 ? stop : ask(plan, far, reasonOf);
}

function ask(plan: Plan, at: number, reasonOf: (step: PlanStep) => ReasonCode): WalkOrder {
  const step = plan.attempts[at];
  return step === undefined ? stop : { do: "ask", at, waitMs: 0, reason: reasonOf(step) };
}

function coolsKey(code: FailureCode): boolean {
  const kind = failureKinds[code];
  return "coolsDown" in kind && kind.coolsDown === "key";
}

function refusedHere(code: FailureCode): boolean {
  return code === "budget_exceeded" || code === "ledger_unavailable" || code === "rental_asleep";
}

function mayMove(code: FailureCode, fallbackOn: readonly FallbackWish[]): boolean {
  if (code === "content_filtered") return fallbackOn.includes("content-filter");
  // The name was planned, so it is the target's trouble and not the client's; and what costs nothing needs no money and no ledger.
  if (code === "model_not_found" || refusedHere(code)) return true;
  return failureKinds[code].mayRetry || failureKinds[code].mayFallBack;
}

/** A prompt that was too long there goes only where more fits. */
function mayHelp(step: PlanStep, failed: PlanStep, code: FailureCode): boolean {
  if (code !== "context_length_exceeded") return true;
  return step.contextLength === 0 || failed.contextLength === 0 || step.contextLength > failed.contextLength;
}

/** Of the targets that may be asked again, in one group or (null) in all, the one whose turn comes first. */
function soonestRetry(
  plan: Plan,
  walk: Walk,
  facts: WalkFacts,
  group: number | null,
): { readonly at: number; readonly waitMs: number } | null {
  let soonest: { readonly at: number; readonly waitMs: number } | null = null;
  for (const [at, step] of plan.attempts.entries()) {
    const tried = walk.steps[at];
    if (group !== null && step.group !== group) continue;
    if (tried === undefined || tried.code === null) continue;
    if (!failureKinds[tried.code].mayRetry || needsPerson.has(tried.code) || tried.tries > plan.route.limits.retries)
      continue;
    const waitMs = Math.max(
      backoffMs(tried.tries, facts.random),
      facts.coolingMs[at] ?? 0,
      tried.notBeforeMs - facts.nowMs,
    );
    if (soonest === null || waitMs < soonest.waitMs) soonest = { at, waitMs };
  }
  return soonest;
}

/** Half of it is certain, half is chance: clients that failed together do not come back together. */
function backoffMs(tries: number, random: number): number {
  const most = Math.min(firstBackoffMs * 2 ** (tries - 1), longestBackoffMs);
  return Math.round(most * (0.5 + random / 2));
}
