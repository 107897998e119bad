/**
 * One worker process as its parent sees it: messages out, answers in, a watchdog, and the kill. Runs in the server process.
 * It knows nothing of queues and restarts; `model-host.ts` decides those.
 */
import { Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/ports.ts";
import type { FromWorker, Generation, PooledEvent, PooledInput, StepEvent, ToWorker, WorkerSlot } from "./protocol.ts";
import type { EngineProcess, StartProcess } from "./start-process.ts";

export type StartWorker = StartProcess<ToWorker, FromWorker>;

export type LoadRequest = Omit<Extract<ToWorker, { type: "load" }>, "type">;
export type Loaded = Omit<Extract<FromWorker, { type: "loaded" }>, "type">;

export interface LinkHandlers {
  /** The process is gone; every pending promise has been rejected and every running generation has ended as failed. */
  onDeath(reason: string): void;
}

/** How much of the time a process gets to end it may spend on saving. */
const savingShare = 0.75;

interface Pending<Value> {
  resolve(value: Value): void;
  reject(failure: Failure): void;
}

export class WorkerLink {
  readonly #clock: Clock;
  readonly #watchdogMs: number;
  readonly #handlers: LinkHandlers;
  readonly #process: EngineProcess<ToWorker>;
  readonly #inputPrepares = new Map<string, Pending<readonly number[]>>();
  readonly #generations = new Map<string, (event: StepEvent) => void>();
  readonly #embeddings = new Map<string, (event: PooledEvent) => void>();
  readonly #states = new Map<number, (state: { slots: readonly WorkerSlot[]; rssBytes: number }) => void>();
  #load: Pending<Loaded> | null = null;
  #lastPongAtMs: number;
  /** It has said something. Before that only the limit of its load counts: a busy machine starts processes slowly. */
  #heard = false;
  #stopWatching: () => void = () => {};
  #asked = 0;
  #deathReason: string | null = null;
  #killedFor: string | null = null;

  constructor(start: StartWorker, clock: Clock, watchdogMs: number, handlers: LinkHandlers) {
    this.#clock = clock;
    this.#watchdogMs = watchdogMs;
    this.#handlers = handlers;
    this.#lastPongAtMs = clock.monotonicMs();
    this.#process = start({
      onMessage: (message) => this.#receive(message),
      onExit: (reason) => this.#die(this.#killedFor ?? reason),
    });
    this.#watch();
  }

  get pid(): number {
    return this.#process.pid;
  }

  get alive(): boolean {
    return this.#deathReason === null;
  }

  /** Rejects with `model_unavailable` when the library refuses the file, `worker_died` when the process ends first. */
  load(request: LoadRequest): Promise<Loaded> {
    if (this.#deathReason !== null) return Promise.reject(workerDied(this.#deathReason));
    return new Promise((resolve, reject) => {
      this.#load = { resolve, reject };
      this.#send({ type: "load", ...request });
    });
  }

  /** Events arrive in order; the last is `done`, `cancelled` or `failed`, also when the process dies. */
  generate(id: string, generation: Generation, onEvent: (event: StepEvent) => void): void {
    this.#generations.set(id, onEvent);
    this.#send({ type: "generate", id, ...generation });
  }

  /** The callers that wait for a slot, whenever that changes. */
  waiting(callers: readonly string[]): void {
    if (this.alive) this.#send({ type: "waiting", callers });
  }

  /** Tokenises the inputs; gives the number of tokens of each. The worker keeps them under `id`. */
  prepareInputs(id: string, inputs: readonly PooledInput[]): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      this.#inputPrepares.set(id, { resolve, reject });
      this.#send({ type: "prepare-inputs", id, inputs });
    });
  }

  /** The prepared inputs are not wanted any more. */
  dropInputs(id: string): void {
    this.#send({ type: "drop-inputs", id });
  }

  /** As `generate`, for the prepared inputs. */
  embed(id: string, caller: string, onEvent: (event: PooledEvent) => void): void {
    this.#embeddings.set(id, onEvent);
    this.#send({ type: "embed", id, caller });
  }

  cancel(id: string): void {
    this.#send({ type: "cancel", id });
  }

  /** What the slots are doing; null when the worker does not answer within `limitMs`. */
  state(limitMs: number): Promise<{ slots: readonly WorkerSlot[]; rssBytes: number } | null> {
    if (!this.alive) return Promise.resolve(null);
    const id = this.#nextId();
    return new Promise((resolve) => {
      const cancel = this.#clock.after(limitMs, () => {
        this.#states.delete(id);
        resolve(null);
      });
      this.#states.set(id, (state) => {
        cancel();
        this.#states.delete(id);
        resolve(state);
      });
      this.#send({ type: "state", id });
    });
  }

  /** Nothing of this sharing group is kept from now on. */
  forget(group: string): void {
    if (this.alive) this.#send({ type: "forget", group });
  }

  /**
   * Asks the process to end. Most of `limitMs` it may use to save what its slots hold; it is killed when it has not ended after
   * that.
   */
  shutdown(limitMs: number): void {
    if (!this.alive) return;
    this.#send({ type: "shutdown", withinMs: Math.floor(limitMs * savingShare) });
    this.#clock.after(limitMs, () => {
      if (this.alive) this.kill("did not stop when asked");
    });
  }

  kill(reason: string): void {
    this.#killedFor ??= reason;
    this.#process.kill();
  }

  #nextId(): number {
    this.#asked += 1;
    return this.#asked;
  }

  #send(message: ToWorker): void {
    if (this.#process.send(message)) return;
    // The channel is closed but the exit has not been reported yet: the exit settles everything.
    this.#process.kill();
  }

  /** A stopped or hung process never answers; SIGKILL ends it all the same. */
  #watch(): void {
    this.#stopWatching = this.#clock.after(this.#watchdogMs / 4, () => {
      if (!this.alive) return;
      if (this.#heard && this.#clock.monotonicMs() - this.#lastPongAtMs > this.#watchdogMs) {
        this.kill(`stopped answering for ${this.#watchdogMs} ms`);
        return;
      }
      this.#send({ type: "ping", id: this.#nextId() });
      this.#watch();
    });
  }

  #receive(message: FromWorker): void {
    this.#lastPongAtMs = this.#clock.monotonicMs();
    this.#heard = true;
    switch (message.type) {
      case "step":
        for (const event of message.events) this.#deliver(event);
        return;
      case "inputs-prepared":
        this.#inputPrepares.get(message.id)?.resolve(message.counts);
        this.#inputPrepares.delete(message.id);
        return;
      case "inputs-refused":
        this.#inputPrepares.get(message.id)?.reject(new Failure(message.code, message.message));
        this.#inputPrepares.delete(message.id);
        return;
      case "pooled":
        this.#deliverPooled(message.id, message.event);
        return;
      case "loaded":
        this.#load?.resolve(message);
        this.#load = null;
        return;
      case "load-failed":
        this.#load?.reject(
          new Failure("model_unavailable", "The engine could not load this model.", { cause: message.message }),
        );
        this.#load = null;
        return;
      case "state":
        this.#states.get(message.id)?.(message);
        return;
      default:
        return;
    }
  }

  #deliver(event: StepEvent): void {
    const onEvent = this.#generations.get(event.id);
    if (event.type === "done" || event.type === "cancelled" || event.type === "failed") {
      this.#generations.delete(event.id);
    }
    onEvent?.(event);
  }

  #deliverPooled(id: string, event: PooledEvent): void {
    const onEvent = this.#embeddings.get(id);
    if (event.type !== "vector") this.#embeddings.delete(id);
    onEvent?.(event);
  }

  #die(reason: string): void {
    if (this.#deathReason !== null) return;
    this.#deathReason = reason;
    this.#stopWatching();
    const failure = workerDied(reason);
    this.#load?.reject(failure);
    this.#load = null;
    for (const pending of this.#inputPrepares.values()) pending.reject(failure);
    this.#inputPrepares.clear();
    for (const answer of this.#states.values()) answer({ slots: [], rssBytes: 0 });
    const generations = [...this.#generations];
    this.#generations.clear();
    for (const [id, onEvent] of generations) {
      onEvent({ id, type: "failed", code: failure.code, message: failure.message, ...nothingKnown });
    }
    const embeddings = [...this.#embeddings.values()];
    this.#embeddings.clear();
    for (const onEvent of embeddings) {
      onEvent({ type: "failed", code: failure.code, message: failure.message, promptTokens: 0, computeMs: 0 });
    }
    this.#handlers.onDeath(reason);
  }
}

const nothingKnown = Object.freeze({
  promptTokens: 0,
  cachedTokens: 0,
  prefilledTokens: 0,
  completionTokens: 0,
  prefillMs: 0,
  decodeMs: 0,
});

export function workerDied(reason: string): Failure {
  return new Failure("worker_died", `The process that computes this model ended (${reason}); it is being restarted.`, {
    retryAfterSeconds: 5,
  });
}
