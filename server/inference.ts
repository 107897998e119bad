/**
 * The spine: admit → plan → attempt → stream → settle → record. Runs in the server process.
 *
 * Every request of a recognised caller passes here and leaves exactly one row, however it ends. The last event of an answer
 * is handed on only after that row is in the ledger, so a client that has read a whole answer finds it there even if the
 * server is killed in the next instant.
 */
import { Account, type AccountEnd, type AccountPorts, type AnyEvent } from "./account.ts";
import type { ChatContext } from "./backends/backend.ts";
import type { ClosingFacts } from "./dialects/dialect.ts";
import { mayAsk, notAllowed } from "./domain/allowed-routes.ts";
import { type Caller, callerId, sharingGroup } from "./domain/caller.ts";
import { type ChatEvent, type ChatRequest, type EndEvent, isEnd } from "./domain/chat.ts";
import type { EmbedRequest, RerankRequest, Scores, Vectors, WholeEvent } from "./domain/embedding.ts";
import { asFailure, type Failure } from "./domain/failure.ts";
import { keptAnswers } from "./domain/kept-answer.ts";
import type { ServedModel } from "./domain/model.ts";
import type { Cost } from "./domain/money.ts";
import type { RequestNote } from "./domain/note.ts";
import { estimatedInputTokens, estimatedPromptTokens } from "./domain/prompt-estimate.ts";
import { type ReasonCode, targetName } from "./domain/routing/plan.ts";
import type { RouteWishes } from "./domain/routing/request-facts.ts";
import { taskOf, type TaskRule } from "./domain/task.ts";
import { noTimings, noUsage } from "./domain/usage.ts";
import type { AnswerCache, CachePlace } from "./router/answer-cache.ts";
import type { AttemptHooks, Router } from "./router/router.ts";
import { createShadowBudget, type ShadowBudgetParts } from "./router/shadow.ts";
import { newRequestId } from "./platform/ids.ts";

export interface RequestFacts {
  readonly requestId: string;
  readonly caller: Caller;
  readonly dialect: string;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  /** What the client said about where it may run; absent: nothing. */
  readonly wishes?: RouteWishes;
  /** What whoever hands it in has to say of it, for its row. */
  readonly notes?: readonly RequestNote[];
}

export interface Inference {
  /**
   * Answers one request. Yields at least one event and ends with exactly one of `finished`, `failed`, `aborted`; throws a
   * Failure only before the first event. The rows are written here.
   */
  chat(
    input: RequestFacts & { readonly request: ChatRequest; readonly session?: string | null },
    signal: AbortSignal,
  ): AsyncIterable<ChatEvent>;
  /** As `chat`, for answers in one piece: `result` comes once, before `finished`. */
  embed(
    input: RequestFacts & { readonly request: EmbedRequest },
    signal: AbortSignal,
  ): AsyncIterable<WholeEvent<Vectors>>;
  rerank(
    input: RequestFacts & { readonly request: RerankRequest },
    signal: AbortSignal,
  ): AsyncIterable<WholeEvent<Scores>>;
  /** A recognised caller's request that could not even be tried: one `refused` row. Never throws. */
  refuse(
    input: RequestFacts & { readonly alias: string | null; readonly stream: boolean },
    failure: Failure,
  ): Promise<void>;
  models(): readonly ServedModel[];
  /** Tokens of a prompt, as the first place that would answer it counts them. Leaves no row. Throws Failure. */
  count(request: ChatRequest, caller: Caller, wishes?: RouteWishes): Promise<number>;
  /** Where a running or just ended request ran and what it cost, as far as known. */
  closing(requestId: string): ClosingFacts;
}

export interface InferencePorts extends AccountPorts {
  readonly router: Router;
  /** Answers that are given again; absent: none are. */
  readonly answers?: AnswerCache;
  /** What requests are for where their clients do not say; absent: nobody says. */
  readonly tasks?: readonly TaskRule[];
  /** From 0 up to, and without, 1; absent: chance. */
  random?(): number;
  /** When a day of copies begins and what copies have cost since; absent: at midnight here, and nothing. */
  readonly copies?: Pick<ShadowBudgetParts, "startOfDay" | "spentSince">;
}

/** What has not ended has no cost yet: unknown, never 0. */
const notPriced: Cost = Object.freeze({ known: false, reason: "not_priced" });
/** Attempts whose words may never reach the client. */
const unheard: ReadonlySet<ReasonCode> = new Set(["draft", "voter", "judge", "condense", "classify"]);
/** Copies cost nobody's budget but their route's own. */
const shadowCaller: Caller = Object.freeze({ kind: "admin", keyId: null, name: "shadow" });
const longestShadowMs = 600_000;
/** How many ended requests are remembered for `closing`. */
const rememberedClosings = 1_024;

export function createInference(ports: InferencePorts): Inference {
  const closings = new Map<string, ClosingFacts>();
  const remember = (requestId: string, closing: ClosingFacts) => {
    closings.set(requestId, closing);
    if (closings.size <= rememberedClosings) return;
    for (const oldest of closings.keys()) {
      closings.delete(oldest);
      break;
    }
  };

  /** What every kind of request has in common: rows opened and closed around what `ask` yields. */
  async function* accounted<Event extends AnyEvent>(
    input: RequestFacts & { readonly request: { readonly model: string }; readonly session?: string | null },
    how: { readonly stream: boolean; readonly signal: AbortSignal; readonly estimatePrompt: () => number },
    ask: (context: ChatContext, hooks: AttemptHooks) => AsyncIterable<Event | EndEvent>,
    notes?: readonly RequestNote[],
  ): AsyncIterable<Event | EndEvent> {
    const { request, requestId } = input;
    const alias = request.model;
    const task = taskOf(input.wishes?.task ?? null, { alias, callerName: input.caller.name }, ports.tasks ?? []);
    const account = new Account({ ...input, ...how, alias, task }, ports);
    let said: Pick<ClosingFacts, "brief" | "budget"> = {};
    const close = async (end: AccountEnd) => {
      const { cost, knownNanos } = account.sum();
      remember(requestId, { target: account.target, cost, knownNanos, ...said });
      await account.close(end);
    };
    if (notes !== undefined || input.notes !== undefined) account.note([...(input.notes ?? []), ...(notes ?? [])]);
    let refused: Failure | null = null;
    try {
      if (!mayAsk(input.caller, request.model)) throw notAllowed(request.model);
      const events = ask(
        {
          requestId,
          callerName: input.caller.name,
          callerId: callerId(input.caller),
          sharingGroup: sharingGroup(input.caller),
          session: input.session ?? null,
          ...(input.wishes === undefined ? {} : { wishes: input.wishes }),
        },
        {
          opened: (number, attempt) => {
            const opening = account.openAttempt(number, attempt);
            if (account.budgetNear !== null) said = { ...said, budget: account.budgetNear };
            remember(requestId, {
              // Whose words the client will get is not known while nobody hears what is said.
              target: unheard.has(attempt.reason) ? null : targetName(attempt.target),
              cost: notPriced,
              ...said,
            });
            return opening;
          },
          bound: (number) => account.boundOf(number),
          closed: (number, end) => account.closeAttempt(number, end),
          planned: (record) => account.planned(record),
          hid: (number, event) => account.hid(number, event),
          noted: (note) => {
            account.addNote(note);
            if (note.code === "briefed") said = { ...said, brief: note.detail };
          },
          answeredBy: (target) => {
            account.answeredBy(target);
            remember(requestId, { target, cost: notPriced, ...said });
          },
        },
      );
      for await (const event of events) {
        account.see(event);
        if (isEnd(event)) await close(event);
        yield event;
      }
    } catch (thrown) {
      refused = asFailure(thrown);
      if (refused.code === "internal") ports.log.error({ requestId, err: thrown }, "request failed inside");
      throw refused;
    } finally {
      // Nothing to do after a whole answer; otherwise the request was refused, or its reader has left.
      await close(refused === null ? leftByReader : { type: "refused", failure: refused });
    }
  }

  const { router } = ports;
  const budget = createShadowBudget({ clock: ports.clock, random: ports.random ?? Math.random, ...ports.copies });

  /** Whoever asked has the whole answer before a copy is even thought of. */
  function shadowed(
    input: Parameters<Inference["chat"]>[0],
    signal: AbortSignal,
    events: AsyncIterable<ChatEvent>,
  ): AsyncIterable<ChatEvent> {
    return router.copies ? thenCopied(input, signal, events) : events;
  }

  async function* thenCopied(
    input: Parameters<Inference["chat"]>[0],
    signal: AbortSignal,
    events: AsyncIterable<ChatEvent>,
  ): AsyncIterable<ChatEvent> {
    let isAnswered = false;
    try {
      for await (const event of events) {
        isAnswered = event.type === "finished";
        yield event;
      }
    } finally {
      if (isAnswered && !signal.aborted) setImmediate(() => void copied(input));
    }
  }

  /** A request of its own with rows of its own; nothing that goes wrong with it is anybody's trouble. */
  async function copied(input: Parameters<Inference["chat"]>[0]): Promise<void> {
    const { request, requestId: original, wishes } = input;
    try {
      const name = { callerName: input.caller.name, ...(wishes === undefined ? {} : { wishes }) };
      const destination = { alias: request.model, capability: "chat" as const };
      const shadow = router.shadow(destination, request, { requestId: original, ...name });
      if (shadow === null || !budget.begins(shadow)) return;
      const requestId = newRequestId();
      const copy = {
        ...{ requestId, caller: shadowCaller, dialect: "shadow", startedAtMs: ports.clock.now() },
        request: { ...request, model: shadow.target },
      };
      const signal = AbortSignal.timeout(longestShadowMs);
      try {
        const events = accounted<ChatEvent>(
          copy,
          chatting(copy.request, signal),
          (context, hooks) => shadow.run(context, signal, hooks),
          [{ code: "shadow_of", detail: original }],
        );
        for await (const event of events) if (isEnd(event)) break;
      } finally {
        budget.done(shadow, closings.get(requestId)?.cost ?? notPriced);
      }
    } catch (thrown) {
      ports.log.warn({ requestId: original, err: thrown }, "a copy for comparison failed");
    }
  }

  return {
    models: () => router.models(),
    count: async (request, caller, wishes) => {
      if (!mayAsk(caller, request.model)) throw notAllowed(request.model);
      return router.count(router.plan(request.model, "chat"), request, wishes);
    },
    closing: (requestId) => closings.get(requestId) ?? { target: null, cost: notPriced },
    refuse: async (input, failure) => {
      const facts = { ...input, alias: input.alias ?? "", signal: null, estimatePrompt: () => 0 };
      const account = new Account(facts, ports);
      if (input.notes !== undefined) account.note(input.notes);
      await account.close({ type: "refused", failure });
    },
    chat: (input, signal) =>
      shadowed(
        input,
        signal,
        accounted<ChatEvent>(
          input,
          chatting(input.request, signal),
          (context, hooks) => {
            const destination = router.plan(input.request.model, "chat");
            const ask = () => router.run(destination, input.request, context, signal, hooks);
            const place = ports.answers?.place(input.request, callerId(input.caller)) ?? null;
            return place === null ? ask() : throughCache(input.request.model, place, ask, hooks);
          },
          input.request.notes,
        ),
      ),
    embed: (input, signal) =>
      accounted(input, embedding(input.request, signal), (context, hooks) =>
        router.embed(router.plan(input.request.model, "embeddings"), input.request, context, signal, hooks),
      ),
    rerank: (input, signal) =>
      accounted(input, reranking(input.request, signal), (context, hooks) =>
        router.rerank(router.plan(input.request.model, "rerank"), input.request, context, signal, hooks),
      ),
  };
}

/** An answer that is there already is one attempt without a cost; one that is not is kept for the next who asks. */
async function* throughCache(
  alias: string,
  place: CachePlace,
  ask: () => AsyncIterable<ChatEvent>,
  hooks: AttemptHooks,
): AsyncIterable<ChatEvent> {
  const { found } = place;
  if (found !== null) {
    await hooks.opened(1, { target: { backendId: keptAnswers, model: alias }, reason: "cache_hit" });
    hooks.closed(1, found.end);
    yield* found.events;
    yield found.end;
    return;
  }
  const seen: ChatEvent[] = [];
  for await (const event of ask()) {
    if (isEnd(event)) place.keep(seen, event);
    else seen.push(event);
    yield event;
  }
}

/** How each kind is answered, and about how many tokens it brings. */
function chatting(request: ChatRequest, signal: AbortSignal) {
  return { stream: request.stream, signal, estimatePrompt: () => estimatedPromptTokens(request) };
}

function embedding({ inputs }: EmbedRequest, signal: AbortSignal) {
  const texts = inputs.map((input) => (input.type === "text" ? input.text : input.tokens));
  return { stream: false, signal, estimatePrompt: () => estimatedInputTokens(texts) };
}

function reranking({ query, documents }: RerankRequest, signal: AbortSignal) {
  // The query is read again with each document.
  const texts = documents.map((document) => query + document);
  return { stream: false, signal, estimatePrompt: () => estimatedInputTokens(texts) };
}

const leftByReader: AccountEnd = Object.freeze({ type: "aborted", usage: noUsage, timings: noTimings });
