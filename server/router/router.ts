/**
 * Carries out a plan: target after target until one answers. The only retry loop in the product; it runs in the server
 * process and knows backends by their contract only.
 */
import type { Backend, ChatContext } from "../backends/backend.ts";
import { type ChatEvent, type ChatRequest, type EndEvent, isContent, isEnd } from "../domain/chat.ts";
import type { EmbedRequest, RerankRequest, Scores, Vectors, WholeEvent } from "../domain/embedding.ts";
import { asFailure, Failure } from "../domain/failure.ts";
import type { Capability, ServedModel } from "../domain/model.ts";
import { wrongModel } from "../domain/routing/capability.ts";
import { type PlannedAttempt, planAttempts, similarNames } from "../domain/routing/plan.ts";
import { noTimings, noUsage } from "../domain/usage.ts";

/** Told of every attempt, in pairs: whoever keeps rows and money hears of each try, whatever became of it. */
export interface AttemptHooks {
  /** A promise: the attempt must not be made before it resolves, and not at all if it rejects; that is its failure then. */
  opened(number: number, attempt: PlannedAttempt): void | Promise<void>;
  closed(number: number, end: EndEvent): void;
  /** What was decided and why, for the request's row; JSON. */
  planned?(record: unknown): void;
}

export interface Router {
  /** Every model that can be asked for. */
  models(): readonly ServedModel[];
  /** Throws `model_not_found`, naming what may have been meant, or `invalid_request`, naming models that can do that. */
  plan(alias: string, capability?: Capability): readonly PlannedAttempt[];
  /** Tokens of the prompt, counted by the first place of the plan that can; places that are not in it hear nothing. */
  count(plan: readonly PlannedAttempt[], request: ChatRequest): Promise<number>;
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
  /** As `run`, for answers in one piece: until the result has left, another target may be tried. */
  embed(
    plan: readonly PlannedAttempt[],
    request: EmbedRequest,
    context: ChatContext,
    signal: AbortSignal,
    hooks: AttemptHooks,
  ): AsyncIterable<WholeEvent<Vectors>>;
  rerank(
    plan: readonly PlannedAttempt[],
    request: RerankRequest,
    context: ChatContext,
    signal: AbortSignal,
    hooks: AttemptHooks,
  ): AsyncIterable<WholeEvent<Scores>>;
}

/** Whatever is asked for ends in the same three ways. */
type AnyEvent = ChatEvent | WholeEvent<unknown>;

/** Asks one backend for one of its models. */
type Ask<Event extends AnyEvent> = (backend: Backend, model: string) => AsyncIterable<Event>;

export function createRouter(backends: readonly Backend[]): Router {
  const byId = new Map(backends.map((backend) => [backend.id, backend]));
  const models = () => backends.flatMap((backend) => backend.served());

  async function* walk<Event extends AnyEvent>(
    plan: readonly PlannedAttempt[],
    ask: Ask<Event>,
    signal: AbortSignal,
    hooks: AttemptHooks,
  ): AsyncIterable<Event | EndEvent> {
    let eventsLeft = false;
    for (const [index, attempt] of plan.entries()) {
      const backend = byId.get(attempt.target.backendId);
      if (!backend) throw new Failure("internal", "A planned target is not there any more.");
      const isLast = index === plan.length - 1;
      const end = yield* oneAttempt(backend, index + 1, attempt, ask, hooks, (failure) => {
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
  }

  return {
    models,
    plan: (alias, capability = "chat") => {
      const served = backends.flatMap((backend) => backend.served().map((model) => ({ backend, model })));
      const able = served.filter(({ model }) => model.capabilities.includes(capability));
      const targets = able.map(({ backend, model }) => ({ backendId: backend.id, model: model.alias }));
      const plan = planAttempts(alias, targets);
      if (plan.length > 0) return plan;
      if (!served.some(({ model }) => model.alias === alias)) throw unknownModel(alias, models());
      const names = able.map(({ model }) => model.alias);
      throw wrongModel(alias, capability, names);
    },
    count: async (plan, request) => {
      let failure = new Failure("internal", "There is nobody to count.");
      for (const { target } of plan) {
        const backend = byId.get(target.backendId);
        if (backend === undefined) continue;
        try {
          return await backend.count({ ...request, model: target.model });
        } catch (thrown) {
          failure = asFailure(thrown);
          if (!failure.kind.mayFallBack) break;
        }
      }
      throw failure;
    },
    run: (plan, request, context, signal, hooks) =>
      walk(plan, (backend, model) => backend.chat({ ...request, model }, context, signal), signal, hooks),
    embed: (plan, request, context, signal, hooks) =>
      walk(plan, (backend, model) => backend.embed({ ...request, model }, context, signal), signal, hooks),
    rerank: (plan, request, context, signal, hooks) =>
      walk(plan, (backend, model) => backend.rerank({ ...request, model }, context, signal), signal, hooks),
  };
}

interface AttemptOutcome {
  /** The next target is to be tried. */
  readonly goOn: boolean;
  /** Something was passed on, so a failure must now be an event. */
  readonly eventsLeft: boolean;
  readonly thrown: Failure | null;
}

async function* oneAttempt<Event extends AnyEvent>(
  backend: Backend,
  number: number,
  attempt: PlannedAttempt,
  ask: Ask<Event>,
  hooks: AttemptHooks,
  mayGoOn: (failure: Failure) => boolean,
): AsyncGenerator<Event, AttemptOutcome> {
  let contentLeft = false;
  let eventsLeft = false;
  let end: EndEvent | null = null;
  try {
    const opening = hooks.opened(number, attempt);
    if (opening !== undefined) await opening;
    for await (const event of ask(backend, attempt.target.model)) {
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
