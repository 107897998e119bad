/**
 * The spine: admit → plan → attempt → stream → settle → record. Runs in the server process.
 *
 * Every request of a recognised caller passes here and leaves exactly one row, however it ends. The last event of an answer
 * is handed on only after that row is in the ledger, so a client that has read a whole answer finds it there even if the
 * server is killed in the next instant.
 */
import type { ChatContext } from "./backends/backend.ts";
import type { ClosingFacts } from "./dialects/dialect.ts";
import { type Caller, callerId, sharingGroup } from "./domain/caller.ts";
import { type ChatEvent, type ChatRequest, type EndEvent, isContent, isEnd } from "./domain/chat.ts";
import type { EmbedRequest, RerankRequest, Scores, Vectors, WholeEvent } from "./domain/embedding.ts";
import { asFailure, type Failure } from "./domain/failure.ts";
import type { ServedModel } from "./domain/model.ts";
import type { Cost } from "./domain/money.ts";
import type { RequestNote } from "./domain/note.ts";
import type { Clock, Log, Publish } from "./domain/ports.ts";
import { targetName } from "./domain/routing/plan.ts";
import { addTimings, addUsage, noTimings, noUsage, type Timings, type Usage } from "./domain/usage.ts";
import type { RequestEnding, RequestOpening } from "./ledger/rows.ts";
import type { LedgerWriter } from "./ledger/writer.ts";
import type { AttemptHooks, Router } from "./router/router.ts";

export interface RequestFacts {
  readonly requestId: string;
  readonly caller: Caller;
  readonly dialect: string;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
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
  count(request: ChatRequest, caller: Caller): Promise<number>;
  /** Where a running or just ended request ran and what it cost, as far as known. */
  closing(requestId: string): ClosingFacts;
}

export interface InferencePorts {
  readonly router: Router;
  readonly ledger: LedgerWriter;
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: Publish;
}

/** Electricity has no price yet, so local work has none: unknown, never 0. */
const notPriced: Cost = Object.freeze({ known: false, reason: "not_priced" });
/** How many ended requests are remembered for `closing`. */
const rememberedClosings = 1_024;
/** Characters of an alias that a row keeps. */
const longestAlias = 200;

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
    stream: boolean,
    ask: (context: ChatContext, hooks: AttemptHooks) => AsyncIterable<Event | EndEvent>,
    notes?: readonly RequestNote[],
  ): AsyncIterable<Event | EndEvent> {
    const { request, requestId } = input;
    const account = new Account(input, request.model, stream, ports);
    if (notes !== undefined) account.note(notes);
    let refused: Failure | null = null;
    try {
      const events = ask(
        {
          requestId,
          callerName: input.caller.name,
          callerId: callerId(input.caller),
          sharingGroup: sharingGroup(input.caller),
          session: input.session ?? null,
        },
        {
          opened: (number, attempt) => {
            const target = targetName(attempt.target);
            remember(requestId, { target, cost: notPriced });
            account.openAttempt(number, target, attempt.reason);
          },
          closed: (number, end) => account.closeAttempt(number, end),
        },
      );
      for await (const event of events) {
        account.see(event);
        if (isEnd(event)) await account.close(event);
        yield event;
      }
    } catch (thrown) {
      refused = asFailure(thrown);
      if (refused.code === "internal") ports.log.error({ requestId, err: thrown }, "request failed inside");
      throw refused;
    } finally {
      // Nothing to do after a whole answer; otherwise the request was refused, or its reader has left.
      await account.close(refused === null ? leftByReader : { type: "refused", failure: refused });
    }
  }

  const { router } = ports;
  return {
    models: () => router.models(),
    count: (request) => router.count(router.plan(request.model, "chat"), request),
    closing: (requestId) => closings.get(requestId) ?? { target: null, cost: notPriced },
    refuse: async (input, failure) => {
      const account = new Account(input, input.alias ?? "", input.stream, ports);
      await account.close({ type: "refused", failure });
    },
    chat: (input, signal) =>
      accounted(
        input,
        input.request.stream,
        (context, hooks) =>
          router.run(router.plan(input.request.model, "chat"), input.request, context, signal, hooks),
        input.request.notes,
      ),
    embed: (input, signal) =>
      accounted(input, false, (context, hooks) =>
        router.embed(router.plan(input.request.model, "embeddings"), input.request, context, signal, hooks),
      ),
    rerank: (input, signal) =>
      accounted(input, false, (context, hooks) =>
        router.rerank(router.plan(input.request.model, "rerank"), input.request, context, signal, hooks),
      ),
  };
}

type AnyEvent = ChatEvent | WholeEvent<unknown>;

type AccountEnd = EndEvent | { readonly type: "refused"; readonly failure: Failure };

const leftByReader: AccountEnd = Object.freeze({ type: "aborted", usage: noUsage, timings: noTimings });

/** The rows of one request. Opened when made, closed once. */
class Account {
  readonly #facts: RequestFacts;
  readonly #ports: InferencePorts;
  readonly #startedMs: number;
  readonly #attemptStartedMs = new Map<number, number>();
  #usage: Usage = noUsage;
  #timings: Timings = noTimings;
  #ttftMs: number | null = null;
  /** What was noted when the request was read; each attempt adds its own. */
  #read: readonly RequestNote[] = [];
  #notes: readonly RequestNote[] = [];
  #closed = false;

  constructor(facts: RequestFacts, alias: string, stream: boolean, ports: InferencePorts) {
    this.#facts = facts;
    this.#ports = ports;
    this.#startedMs = ports.clock.monotonicMs();
    const { requestId, caller, dialect, startedAtMs } = facts;
    const row: RequestOpening = {
      id: requestId,
      startedAtMs,
      callerKind: caller.kind,
      keyId: caller.keyId,
      callerName: caller.name,
      dialect,
      // Half a character, sent so or cut so, is no text the ledger could keep.
      alias: alias.slice(0, longestAlias).toWellFormed(),
      stream,
    };
    ports.ledger.openRequest(row);
  }

  openAttempt(number: number, target: string, reason: string): void {
    this.#attemptStartedMs.set(number, this.#ports.clock.monotonicMs());
    const offsetMs = this.#elapsedMs();
    this.#ports.ledger.openAttempt({ requestId: this.#facts.requestId, number, target, reason, offsetMs });
  }

  closeAttempt(number: number, end: EndEvent): void {
    const startedMs = this.#attemptStartedMs.get(number) ?? this.#startedMs;
    this.#usage = addUsage(this.#usage, end.usage);
    this.#timings = addTimings(this.#timings, end.timings);
    this.#ports.ledger.closeAttempt({
      requestId: this.#facts.requestId,
      number,
      status: end.type === "finished" ? "done" : end.type,
      failureCode: end.type === "failed" ? end.failure.code : null,
      durationMs: Math.round(this.#ports.clock.monotonicMs() - startedMs),
      usage: end.usage,
      timings: end.timings,
      cost: notPriced,
    });
  }

  note(notes: readonly RequestNote[]): void {
    this.#read = notes;
    this.#notes = notes;
  }

  see(event: AnyEvent): void {
    if (event.type === "accepted" && event.notes !== undefined) this.#notes = [...this.#read, ...event.notes];
    if (this.#ttftMs === null && isContent(event)) this.#ttftMs = this.#elapsedMs();
  }

  /** Writes the end once; later calls do nothing. A ledger that cannot be written never ends a local answer. */
  async close(end: AccountEnd): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { requestId } = this.#facts;
    const tried = this.#attemptStartedMs.size > 0;
    const status = end.type === "finished" ? "done" : end.type === "refused" && tried ? "failed" : end.type;
    const row: RequestEnding = {
      id: requestId,
      status,
      finishReason: end.type === "finished" ? end.finishReason : null,
      failureCode: end.type === "failed" || end.type === "refused" ? end.failure.code : null,
      durationMs: this.#elapsedMs(),
      ttftMs: this.#ttftMs,
      usage: this.#usage,
      timings: this.#timings,
      cost: notPriced,
      notes: this.#notes,
    };
    try {
      await this.#ports.ledger.closeRequest(row);
    } catch (thrown) {
      this.#ports.log.error({ requestId, err: thrown }, "the ledger could not be written; the row is kept for later");
    }
    this.#ports.publish({ type: "request", id: requestId, status });
  }

  #elapsedMs(): number {
    return Math.round(this.#ports.clock.monotonicMs() - this.#startedMs);
  }
}
