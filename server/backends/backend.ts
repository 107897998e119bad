/**
 * The contract of everything that can run inference: the engine, cloud vendors, other boxes.
 * One suite in `test/contracts/` runs over every implementation. Types only.
 */
import type { ChatEvent, ChatRequest } from "../domain/chat.ts";
import type { EmbedRequest, RerankRequest, Scores, Vectors, WholeEvent } from "../domain/embedding.ts";
import type { Failure } from "../domain/failure.ts";
import type { HealthDepth, ServedModel } from "../domain/model.ts";
import type { PowerView, WhileAsleep } from "../domain/rental/power.ts";
import type { RouteWishes } from "../domain/routing/request-facts.ts";

export interface ChatContext {
  /** `x-request-id`, unique on this box. */
  readonly requestId: string;
  /** What people see in `/admin/state`. */
  readonly callerName: string;
  /** What belongs together, from a header of the client: its requests share a prefix. Null: nobody said. */
  readonly session?: string | null;
  /** Who takes turns in the queue, one per key; absent: the name tells callers apart. */
  readonly callerId?: string;
  /** Only requests of the same group reuse what this one computes; absent: `sharedGroup`. */
  readonly sharingGroup?: string;
  /** What the client said about where this may run; absent: nothing. Read by the router alone. */
  readonly wishes?: RouteWishes;
  /** What the route says of a machine that is asleep; absent: what the machine's own setting says. Read by those that may be. */
  readonly whileAsleep?: WhileAsleep;
  /** Called when a request without events of its own (`embed`, `rerank`) begins to be computed; absent: nobody asks. */
  computing?(): void;
}

/** Whether a try may begin now, without asking anybody. */
export interface Readiness {
  readonly able: boolean;
  /** In words a person reads. */
  readonly reason: string;
  /** Monotonic milliseconds at which it may again; null: it may now, or nobody knows. */
  readonly retryAtMs: number | null;
  /** It is asked without a key, so there is no other one to try. */
  readonly keyless?: true;
}

/** How deep a look goes: somebody is there, it has the model, it answers with it. */
export type ProbeDepth = "reachable" | "listed" | "answers";

export interface Probe {
  readonly able: boolean;
  readonly reason: string;
  /** Null: it is able. */
  readonly failure: Failure | null;
  readonly tookMs: number;
}

export interface Backend {
  readonly id: string;
  readonly kind: "engine" | "cloud" | "peer" | "rental";
  /** The models this backend answers for, loaded or not. */
  served(): readonly ServedModel[];
  /** A model it would answer for without listing it: `<id>/…` of a provider whose models nobody wrote down. Null: it would not. */
  find?(alias: string): ServedModel | null;
  /** Exact prompt tokens of the request after the chat template; of what runs elsewhere an estimate. Throws Failure. */
  count(request: ChatRequest): Promise<number>;
  /**
   * Answers one request. Throws a Failure only before the first event; afterwards the stream ends with `failed` or
   * `aborted` and the usage so far. Aborting `signal` frees what the request holds within one step.
   */
  chat(request: ChatRequest, context: ChatContext, signal: AbortSignal): AsyncIterable<ChatEvent>;
  /**
   * One vector of length 1 per input. Fails as `chat` does; aborting frees what the request holds within one input.
   * An input that does not fit is `context_length_exceeded` and names itself: nothing is cut short silently.
   */
  embed(request: EmbedRequest, context: ChatContext, signal: AbortSignal): AsyncIterable<WholeEvent<Vectors>>;
  /** How relevant each document is for the query, 0 to 1. As `embed` otherwise. */
  rerank(request: RerankRequest, context: ChatContext, signal: AbortSignal): AsyncIterable<WholeEvent<Scores>>;
  /** True when the model could answer now or after loading; the reason is for people. Never asks anybody: what is known. */
  health(alias: string): { readonly able: boolean; readonly reason: string; readonly depth?: HealthDepth };
  /**
   * Whether another key is left to try with after a failure that is about the key, or whether all rest. Absent: it has no keys
   * to change.
   */
  ready?(alias: string): Readiness;
  /** Of a machine that may be asleep: how it is. Absent: it is always on. Never asks anybody. */
  power?(): PowerView;
  /** Asks the other machine. Costs what a call costs, at `answers` a few tokens. Absent: `health` says it all. */
  probe?(depth: ProbeDepth, alias: string, signal: AbortSignal): Promise<Probe>;
  close(graceMs: number): Promise<void>;
}
