/**
 * Carries a plan out: target after target until one answers. The only retry loop in the product. What follows a failure is
 * decided by `domain/routing/walk.ts`; here are the waits, the signals and the bookkeeping. Server process.
 */
import type { Backend } from "../backends/backend.ts";
import type { AttemptSize } from "../domain/budget/attempt-size.ts";
import type { EndEvent } from "../domain/chat.ts";
import { type Failure, Failure as FailureType } from "../domain/failure.ts";
import type { RequestNote } from "../domain/note.ts";
import { later } from "../domain/passing.ts";
import type { Clock } from "../domain/ports.ts";
import type { Plan, PlannedAttempt, PlanRecord } from "../domain/routing/plan.ts";
import { allResting, nobodyLeft } from "../domain/routing/refusal.ts";
import { type Target, targetName } from "../domain/routing/target.ts";
import { afterTry, firstStep, nextStep, type Walk, type WalkOrder, walkOf } from "../domain/routing/walk.ts";
import { noTimings, noUsage } from "../domain/usage.ts";
import { waited } from "../platform/wait.ts";
import { type AnyEvent, type AttemptOutcome, oneAttempt } from "./attempt.ts";
import type { Live } from "./live.ts";

/** Told of every attempt, in pairs: whoever keeps rows and money hears of each try, whatever became of it. */
export interface AttemptHooks {
  /** Once, before the first attempt: where the request may go and why, also when it may go nowhere. */
  planned?(record: PlanRecord): void;
  /** A promise: the attempt must not be made before it resolves, and not at all if it rejects; that is its failure then. */
  opened(number: number, attempt: PlannedAttempt): void | Promise<void>;
  /** Asked once it may be made: most tokens of an answer that has no bound of its own; null: as many as come. */
  bound?(number: number): number | null;
  closed(number: number, end: EndEvent): void;
  /** What an attempt said that the client does not hear: a draft, a vote, a judge. */
  hid?(number: number, event: AnyEvent): void;
  /** How the route's mode went, for the request's row. */
  noted?(note: RequestNote): void;
  /** Whose words the client gets, where others were asked after it. */
  answeredBy?(target: string): void;
}

export interface Journey<Event extends AnyEvent> {
  readonly plan: Plan;
  readonly signal: AbortSignal;
  readonly hooks: AttemptHooks;
  /** Monotonic milliseconds: when the request came to the router. */
  readonly startedMs: number;
  /** The most that an attempt of it may use. */
  readonly size?: () => AttemptSize;
  /** Asks one backend for a target of it; `bound`: most tokens of an answer that has no bound of its own. */
  ask(backend: Backend, attempt: PlannedAttempt, signal: AbortSignal, bound: number | null): AsyncIterable<Event>;
}

export interface JourneyPorts {
  readonly clock: Clock;
  readonly live: Live;
  random(): number;
  backend(id: string): Backend | undefined;
}

type Ask = Extract<WalkOrder, { do: "ask" }>;

/** Looks that find a target taken by others, after which nobody waits on. */
const mostSurprises = 3;

/** Throws a Failure only before the first event; after content nothing moves, and every attempt is opened and closed once. */
export async function* carryOut<Event extends AnyEvent>(
  journey: Journey<Event>,
  ports: JourneyPorts,
): AsyncGenerator<Event | EndEvent> {
  const { plan, signal, hooks, startedMs } = journey;
  const { clock, live } = ports;
  const { limits } = plan.route;
  const names = plan.attempts.map(({ target }) => targetName(target));
  const cooling = () => names.map((name) => live.coolingMs(name));
  const elapsedMs = () => clock.monotonicMs() - startedMs;
  let walk: Walk = walkOf(plan);
  let number = 0;

  const follows = (at: number, failure: Failure): WalkOrder =>
    nextStep(plan, walk, {
      at,
      failure,
      anotherKey: hasKey(ports, plan, at),
      coolingMs: cooling(),
      nowMs: clock.monotonicMs(),
      elapsedMs: elapsedMs(),
      random: ports.random(),
    });

  /** Not a generator itself: every event would pass one more. */
  function attempt({ at, reason }: Ask): AsyncGenerator<Event | EndEvent, AttemptOutcome> {
    const step = plan.attempts[at];
    const name = names[at];
    const backend = step === undefined ? undefined : ports.backend(step.target.backendId);
    if (step === undefined || name === undefined) throw new FailureType("internal", "There is no such step.");
    if (backend === undefined) return skipped(at, step.target);
    number += 1;
    const current = number;
    const { size } = journey;
    const planned: PlannedAttempt = { target: step.target, reason, ...(size === undefined ? {} : { size }) };
    const opening = hooks.opened(current, planned);
    const probe = live.opened(name);
    const elsewhere = plan.attempts.some((_, index) => walk.steps[index]?.tries === 0 && index !== at);
    return oneAttempt<Event>({
      ask: (inner) =>
        opening === undefined
          ? journey.ask(backend, planned, inner, null)
          : later(() => opening.then(() => journey.ask(backend, planned, inner, hooks.bound?.(current) ?? null))),
      clock,
      signal,
      bounds: {
        firstTokenMs: limits.firstTokenMs,
        queueWaitMs: elsewhere && walk.attempts + 1 < limits.maxAttempts ? limits.maxQueueWaitMs : null,
        deadlineMs: limits.deadlineMs === null ? null : Math.max(0, limits.deadlineMs - elapsedMs()),
      },
      begun: () => live.answers(name, probe),
      closed: (end, { ttftMs, totalMs, isDeadline }) => {
        const outOfKeys = !hasKey(ports, plan, at);
        live.closed(name, probe, { end, ttftMs, totalMs, outOfKeys, notItsFault: isDeadline });
        hooks.closed(current, end);
      },
      decide: (failure) => {
        walk = afterTry(walk, at, failure, clock.monotonicMs());
        return follows(at, failure);
      },
    });
  }

  /** Its provider was taken out of the settings since the plan was made: no attempt, and on to the next. */
  // biome-ignore lint/correctness/useYield: it has nothing to say.
  async function* skipped(at: number, target: Target): AsyncGenerator<Event | EndEvent, AttemptOutcome> {
    const failure = new FailureType("model_unavailable", `There is no "${target.backendId}" here any more.`);
    walk = afterTry(walk, at, failure, clock.monotonicMs());
    const order = follows(at, failure);
    if (order.do === "stop") throw failure;
    return { moves: true, order, failure };
  }

  if (plan.attempts.length === 0) throw nobodyLeft(plan);
  let order = firstStep(plan, cooling());
  if (order.do === "stop") throw allResting(plan, Math.min(...cooling()));
  for (;;) {
    const outcome: AttemptOutcome = yield* attempt(order);
    if (!outcome.moves) return;
    const failedAt: number = order.at;
    order = outcome.order;
    for (let surprises = 0; order.do === "ask"; surprises += 1) {
      // The client may leave meanwhile.
      await waited(clock, order.waitMs, signal);
      if (signal.aborted) {
        yield { type: "aborted", usage: noUsage, timings: noTimings };
        return;
      }
      if (live.coolingMs(names[order.at] ?? "") === 0) break;
      // Somebody else failed there, or probes there, while we waited.
      order = surprises < mostSurprises ? follows(failedAt, outcome.failure) : { do: "stop" };
    }
    if (order.do === "stop") throw outcome.failure;
  }
}

/** Whether the backend could ask again with another key than those that were refused. */
function hasKey(ports: JourneyPorts, plan: Plan, at: number): boolean {
  const target = plan.attempts[at]?.target;
  const backend = target === undefined ? undefined : ports.backend(target.backendId);
  const ready = target === undefined ? undefined : backend?.ready?.(target.model);
  return ready?.able === true && ready.keyless !== true;
}
