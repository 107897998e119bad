/**
 * Carries a chat request's mode out: the tier is told, a long conversation condensed, then the mode asks whom it asks. All their
 * attempts are counted as one row of numbers. Server process.
 */
import type { Backend } from "../../backends/backend.ts";
import { sizeOfChat } from "../../domain/budget/attempt-size.ts";
import { type ChatEvent, type ChatRequest, isEnd } from "../../domain/chat.ts";
import { noEnd } from "../../domain/end.ts";
import { asFailure, Failure } from "../../domain/failure.ts";
import { estimatedPromptTokens } from "../../domain/prompt-estimate.ts";
import {
  capped,
  type Plan,
  type PlannedAttempt,
  type PlanStep,
  partOf,
  planRecord,
  targetName,
} from "../../domain/routing/plan.ts";
import type { RequestFacts } from "../../domain/routing/request-facts.ts";
import { noTimings, noUsage } from "../../domain/usage.ts";
import { type AttemptHooks, carryOut, type JourneyPorts } from "../carry-out.ts";
import type { Planner } from "../planner.ts";
import { condensed } from "./brief.ts";
import { classified } from "./classify.ts";
import { modes } from "./index.ts";
import type { Hidden, ModeRun } from "./mode.ts";
import { aborted } from "./replay.ts";

export interface ModalParts {
  readonly alias: string;
  readonly facts: RequestFacts;
  readonly request: ChatRequest;
  readonly signal: AbortSignal;
  readonly hooks: AttemptHooks;
  readonly planner: Planner;
  readonly ports: JourneyPorts;
  /** Of a plan that is carried out now. */
  planned(plan: Plan): void;
  ask(
    backend: Backend,
    plan: Plan,
    attempt: PlannedAttempt,
    request: ChatRequest,
    signal: AbortSignal,
    /** Most tokens of an answer that has no bound of its own. */
    bound: number | null,
  ): AsyncIterable<ChatEvent>;
}

export async function* runModes(parts: ModalParts): AsyncGenerator<ChatEvent> {
  const { alias, request, signal, hooks, planner } = parts;
  const startedMs = parts.ports.clock.monotonicMs();
  const begin = counted(parts, startedMs);
  let { facts } = parts;
  const entry = planner.entry(alias, facts);
  if (entry.route.modes.classify !== null && facts.tier === null) {
    const tier = await classified(begin(entry, request));
    if (signal.aborted) {
      hooks.planned?.(planRecord(entry));
      yield aborted;
      return;
    }
    facts = { ...facts, tier };
  }
  let plan = await planner.plan(alias, facts, request);
  let wanted = request;
  if (plan.route.modes.brief !== null) {
    const shorter = await condensed(begin(plan, request));
    if (shorter !== null) {
      wanted = shorter;
      plan = planner.again(plan, { ...plan.facts, promptTokens: estimatedPromptTokens(shorter), counted: false });
    }
  }
  hooks.planned?.(planRecord(plan));
  parts.planned(plan);
  if (signal.aborted) {
    yield aborted;
    return;
  }
  yield* modes[plan.route.mode](begin(plan, wanted));
}

/** What the modes are given; one counter for all attempts of the request. */
function counted(parts: ModalParts, startedMs: number) {
  const { hooks, signal, ports } = parts;
  let opened = 0;
  const left = ({ route }: Plan) => route.limits.maxAttempts - opened;
  const journey = (plan: Plan, steps: readonly PlanStep[], request: ChatRequest, own: AttemptHooks, most: number) => {
    if (most < 1) throw usedUp(plan);
    const part = partOf(plan, steps, most);
    return carryOut<ChatEvent>(
      {
        ...{ plan: part, signal, startedMs, hooks: own },
        size: () => sizeOfChat({ ...request, maxTokens: capped(request.maxTokens, plan.route.limits.maxOutputTokens) }),
        ask: (backend, attempt, inner, bound) => parts.ask(backend, part, attempt, request, inner, bound),
      },
      ports,
    );
  };
  /** Numbers of one call, which counts from 1, in the request's row of numbers. */
  const numbered = (told: (number: number, target: string) => void): AttemptHooks => {
    const numbers = new Map<number, number>();
    return {
      opened(number, attempt) {
        opened += 1;
        numbers.set(number, opened);
        told(opened, targetName(attempt.target));
        return hooks.opened(opened, attempt);
      },
      bound: (number) => hooks.bound?.(numbers.get(number) ?? number) ?? null,
      closed: (number, end) => hooks.closed(numbers.get(number) ?? number, end),
    };
  };

  async function hidden(
    plan: Plan,
    steps: readonly PlanStep[],
    request: ChatRequest,
    mostAttempts: number,
  ): Promise<Hidden> {
    let current = 0;
    let target = "";
    const events: ChatEvent[] = [];
    const own = numbered((number, name) => {
      current = number;
      target = name;
    });
    const failed = (failure: Failure): Hidden => ({
      events,
      end: { type: "failed", failure, usage: noUsage, timings: noTimings },
      failure,
      target,
    });
    try {
      for await (const event of journey(plan, steps, request, own, mostAttempts)) {
        if (!isEnd(event)) {
          hooks.hid?.(current, event);
          events.push(event);
          continue;
        }
        const failure =
          event.type === "finished"
            ? null
            : event.type === "failed"
              ? event.failure
              : new Failure("internal", "It was stopped.");
        return { events, end: event, failure, target };
      }
      return failed(noEnd());
    } catch (thrown) {
      return failed(asFailure(thrown));
    }
  }

  return (plan: Plan, request: ChatRequest): ModeRun => ({
    plan,
    request,
    signal,
    attemptsLeft: () => left(plan),
    stream: (steps, one) =>
      journey(
        plan,
        steps,
        one,
        numbered(() => {}),
        left(plan),
      ),
    hidden,
    note: (note) => hooks.noted?.(note),
    answeredBy: (target) => hooks.answeredBy?.(target),
  });
}

/** Drafts, votes and questions on the side are attempts too. */
function usedUp({ alias, route }: Plan): Failure {
  return new Failure("no_target", `All ${route.limits.maxAttempts} attempts that "${alias}" allows were used.`);
}
