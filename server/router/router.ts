/**
 * Carries out a plan: target after target until one answers. The only retry loop in the product; it runs in the server
 * process and knows backends by their contract only.
 */
import type { Backend, ChatContext } from "../backends/backend.ts";
import { type ChatEvent, type ChatRequest, type EndEvent, isContent, isEnd } from "../domain/chat.ts";
import { asFailure, Failure } from "../domain/failure.ts";
import type { ServedModel } from "../domain/model.ts";
import { type PlannedAttempt, planAttempts, similarNames } from "../domain/routing/plan.ts";
import { noTimings, noUsage } from "../domain/usage.ts";

/** Told of every attempt, in pairs: whoever keeps rows and money hears of each try, whatever became of it. */
export interface AttemptHooks {
  opened(number: number, attempt: PlannedAttempt): void;
  closed(number: number, end: EndEvent): void;
}

export interface Router {
  /** Every model that can be asked for. */
  models(): readonly ServedModel[];
  /** Throws `model_not_found`, naming what may have been meant. */
  plan(alias: string): readonly PlannedAttempt[];
  /**
   * Throws a Failure only before the first event. A failed attempt is followed by the next one as long as nothing of an
   * answer has left and the failure says that another target may help.
   */
  run(
    plan: readonly PlannedAttempt[],
    request: ChatRequest,
    context: ChatContext,
    signal: AbortSignal,
    hooks: AttemptHooks,
  ): AsyncIterable<ChatEvent>;
}

export function createRouter(backends: readonly Backend[]): Router {
  const byId = new Map(backends.map((backend) => [backend.id, backend]));
  const models = () => backends.flatMap((backend) => backend.served());
  return {
    models,
    plan: (alias) => {
      const targets = backends.flatMap((backend) =>
        backend.served().map((model) => ({ backendId: backend.id, model: model.alias })),
      );
      const plan = planAttempts(alias, targets);
      if (plan.length === 0) throw unknownModel(alias, models());
      return plan;
    },
    run: async function* (plan, request, context, signal, hooks) {
      let eventsLeft = false;
      for (const [index, attempt] of plan.entries()) {
        const backend = byId.get(attempt.target.backendId);
        if (!backend) throw new Failure("internal", "A planned target is not there any more.");
        const isLast = index === plan.length - 1;
        const end = yield* oneAttempt(backend, index + 1, attempt, request, context, signal, hooks, (failure) => {
          return !isLast && failure.kind.mayFallBack && !signal.aborted;
        });
        eventsLeft ||= end.eventsLeft;
        if (end.goOn) continue;
        if (end.thrown !== null && !eventsLeft) throw end.thrown;
        if (end.thrown !== null) {
          yield { type: "failed", failure: end.thrown, usage: noUsage, timings: noTimings };
        }
        return;
      }
    },
  };
}

interface AttemptOutcome {
  /** The next target is to be tried. */
  readonly goOn: boolean;
  /** Something was passed on, so a failure must now be an event. */
  readonly eventsLeft: boolean;
  readonly thrown: Failure | null;
}

async function* oneAttempt(
  backend: Backend,
  number: number,
  attempt: PlannedAttempt,
  request: ChatRequest,
  context: ChatContext,
  signal: AbortSignal,
  hooks: AttemptHooks,
  mayGoOn: (failure: Failure) => boolean,
): AsyncGenerator<ChatEvent, AttemptOutcome> {
  let contentLeft = false;
  let eventsLeft = false;
  let end: EndEvent | null = null;
  hooks.opened(number, attempt);
  try {
    const asked = { ...request, model: attempt.target.model };
    for await (const event of backend.chat(asked, context, signal)) {
      if (isEnd(event)) {
        end = event;
        hooks.closed(number, event);
        if (event.type === "failed" && !contentLeft && mayGoOn(event.failure)) {
          return { goOn: true, eventsLeft, thrown: null };
        }
        yield event;
        return { goOn: false, eventsLeft: true, thrown: null };
      }
      contentLeft ||= isContent(event);
      eventsLeft = true;
      yield event;
    }
    throw new Failure("internal", "The answer ended without an end.");
  } catch (thrown) {
    const failure = asFailure(thrown);
    end ??= { type: "failed", failure, usage: noUsage, timings: noTimings };
    hooks.closed(number, end);
    return { goOn: !contentLeft && mayGoOn(failure), eventsLeft, thrown: failure };
  } finally {
    // Whoever read us has left: the backend hears of it by its own iterator's end, the row by this.
    if (end === null) hooks.closed(number, { type: "aborted", usage: noUsage, timings: noTimings });
  }
}

function unknownModel(alias: string, known: readonly ServedModel[]): Failure {
  const names = known.map((model) => model.alias);
  const meant = similarNames(alias, names);
  const question = meant.length > 0 ? ` Did you mean "${meant.join('" or "')}"?` : "";
  const yours = names.length > 0 ? ` Here: ${names.slice(0, 20).join(", ")}.` : " No model is served here yet.";
  return new Failure("model_not_found", `No model "${alias.slice(0, 200)}" here.${question}${yours}`, {
    param: "model",
  });
}
