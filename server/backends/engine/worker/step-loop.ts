/**
 * The step loop: one decode call after another over all slots of one context. Runs in a worker process.
 *
 * Each step gives every answering stream one token and computes a chunk of waiting prompts. Admission, copies, cuts and
 * aborts happen only between steps, so that no request ever waits for another one's whole prompt. What to do is decided in
 * `slots.ts` and `chunk.ts`; `admission.ts`, `turns.ts` and this file carry it out.
 */
import type { ChosenLogprob } from "../../../domain/chat.ts";
import type { StepEvent, WorkerSlot } from "../protocol.ts";
import { Admission } from "./admission.ts";
import type { CallerFacts } from "./chunk.ts";
import { generationEnd, type Job, type JobEnd, type Slot, slotView } from "./job.ts";
import { judged } from "./judged.ts";
import type { BatchPart, NativeModel } from "./native.ts";
import type { Snapshots } from "./snapshots.ts";
import { StepSpeed } from "./step-speed.ts";
import { planTurns, type StepFacts, type Turn } from "./turns.ts";
import { Wanting } from "./wanting.ts";

export interface StepLoopPorts {
  readonly monotonicMs: () => number;
  /** Unsigned 32 bits. */
  readonly randomSeed: () => number;
  /** One call per step; never with an empty list. */
  readonly emit: (events: readonly StepEvent[]) => void;
}

/** Longest wait for the next job of a slot, in milliseconds; the way to the server and back takes less than one. */
const refillMs = 20;

/**
 * An engine that found no memory for one step finds none for the next. Thrown on, it ends the process: the requests end with
 * `worker_died`, and the next one is answered by a process that begins with its memory in order.
 */
function endWithoutMemory(thrown: unknown): void {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (/bad_alloc|out of memory|allocation failed/i.test(message)) throw thrown;
}

export class StepLoop {
  readonly #model: NativeModel;
  readonly #ports: StepLoopPorts;
  readonly #tokenGapMs: number;
  readonly #slots: Slot[];
  readonly #admission: Admission;
  readonly #speed = new StepSpeed();
  readonly #wanting = new Wanting();
  #events: StepEvent[] = [];
  #running: Promise<void> | null = null;
  #closing = false;
  /** Set while the loop waits for somebody to take a slot that has just become free. */
  #onSubmit: (() => void) | null = null;

  constructor(model: NativeModel, snapshots: Snapshots, tokenGapMs: number, ports: StepLoopPorts) {
    this.#model = model;
    this.#ports = ports;
    this.#tokenGapMs = tokenGapMs;
    this.#slots = Array.from({ length: model.slots }, (_, sequence) => ({
      sequence,
      // One sampler per slot for the life of the process: each holds 12 bytes per vocabulary entry that only a garbage
      // collection would free, and V8 does not know of them.
      sampler: model.newSampler(),
      tokens: [],
      group: "",
      job: null,
      lastUse: 0,
      session: null,
      side: true,
    }));
    this.#admission = new Admission(model, this.#slots, snapshots, {
      randomSeed: ports.randomSeed,
      started: (event) => this.#events.push(event),
      failed: (slot, job, thrown) => {
        endWithoutMemory(thrown);
        this.#admission.clear(slot);
        this.#end(slot, job, failed("The engine could not prepare a slot for this request.", thrown));
      },
    });
  }

  /** Takes a job; it starts between the current step and the next. */
  submit(job: Job): void {
    this.#admission.pending.push(job);
    this.#onSubmit?.();
    this.#wake();
  }

  /** Ends the job between the current step and the next. Unknown ids are ignored: the answer may just have ended. */
  cancel(id: string): void {
    const job =
      this.#admission.pending.find((one) => one.id === id) ?? this.#slots.find((slot) => slot.job?.id === id)?.job;
    if (!job) return;
    job.cancelled = true;
    this.#wake();
  }

  /** The callers that have requests waiting for a slot. */
  setWaiting(callers: readonly string[]): void {
    this.#wanting.setWaiting(callers, this.#ports.monotonicMs());
  }

  view(): WorkerSlot[] {
    return this.#slots.map(slotView);
  }

  /** Ends every job after the current step and takes no more. Gives the slots as they are then. */
  async close(): Promise<readonly Slot[]> {
    this.#closing = true;
    this.#onSubmit?.();
    this.#wake();
    await this.#running;
    return this.#slots;
  }

  #wake(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      if (this.#closing) this.#endAll();
      this.#dropCancelled();
      await this.#admission.admit();
      await this.#admission.resumeWaiting();
      const turns = planTurns(
        this.#slots,
        () => this.#stepFacts(),
        () => this.#callers(),
      );
      this.#flush();
      if (turns.length === 0) return;
      await this.#step(turns);
      this.#flush();
      await this.#refill();
    }
  }

  /**
   * Somebody waits in the server for a slot that has just become free: the job is on its way, and a step without it would cost
   * it a whole step, and give its turn to somebody else's prompt.
   */
  async #refill(): Promise<void> {
    const untilMs = this.#ports.monotonicMs() + refillMs;
    while (!this.#closing && this.#wanting.somebodyWaits && this.#freeSlots() > this.#admission.pending.length) {
      const leftMs = untilMs - this.#ports.monotonicMs();
      if (leftMs <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#onSubmit = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#onSubmit = null;
    }
  }

  #freeSlots(): number {
    return this.#slots.reduce((count, slot) => count + (slot.job === null ? 1 : 0), 0);
  }

  #flush(): void {
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#ports.emit(events);
  }

  #endAll(): void {
    const end: JobEnd = { type: "failed", code: "shutting_down", message: "The box is shutting down." };
    for (const job of this.#admission.pending.splice(0)) {
      this.#events.push({ id: job.id, ...end, ...generationEnd(job, this.#ports.monotonicMs()) });
    }
    for (const slot of this.#slots) if (slot.job !== null) this.#end(slot, slot.job, end);
  }

  #dropCancelled(): void {
    for (const job of this.#admission.pending.filter((one) => one.cancelled)) {
      this.#admission.pending.splice(this.#admission.pending.indexOf(job), 1);
      this.#events.push({ id: job.id, type: "cancelled", ...generationEnd(job, this.#ports.monotonicMs()) });
    }
    for (const slot of this.#slots) if (slot.job?.cancelled) this.#end(slot, slot.job, { type: "cancelled" });
  }

  #stepFacts(): StepFacts {
    return {
      batchSize: this.#model.batchSize,
      tokenGapMs: this.#tokenGapMs,
      prefillTokensPerSecond: this.#speed.prefillTokensPerSecond,
      decodeStepMs: this.#speed.decodeStepMs,
      slotAwaited: this.#wanting.somebodyWaits && this.#freeSlots() > 0,
    };
  }

  /** Whose turn it is among the callers that hold slots. */
  #callers(): readonly CallerFacts[] {
    return this.#wanting.callers(
      this.#slots.flatMap(({ job }) => (job === null ? [] : [{ caller: job.callerId, phase: job.phase }])),
      this.#ports.monotonicMs(),
    );
  }

  async #step(turns: readonly Turn[]): Promise<void> {
    const startedAtMs = this.#ports.monotonicMs();
    const parts = turns.map(
      (turn): BatchPart => ({
        sequence: turn.slot.sequence,
        position: turn.slot.tokens.length,
        tokens: Uint32Array.from(turn.tokens),
        wantsLogits: turn.wantsLogits,
      }),
    );
    let sampled: readonly (number | null)[];
    let logprobs: readonly (ChosenLogprob | null)[] | null = null;
    try {
      const logitIndexes = await this.#model.decode(parts);
      for (const turn of turns) {
        for (const token of turn.tokens) turn.slot.tokens.push(token);
        if (turn.job.phase === "prefill") turn.job.prefilledTokens += turn.tokens.length;
        this.#wanting.computed(turn.job.callerId, turn.tokens.length);
      }
      sampled = await Promise.all(
        logitIndexes.map((index, at) => {
          const slot = turns[at]?.slot;
          return index === null || slot === undefined ? null : this.#model.sample(index, slot.sampler);
        }),
      );
      if (turns.some(({ job }) => job.logprobs !== null)) {
        logprobs = await Promise.all(
          logitIndexes.map((index, at) => judged(this.#model, turns[at]?.job, index, sampled[at] ?? null)),
        );
      }
    } catch (thrown) {
      endWithoutMemory(thrown);
      // What the KV holds now is unknown: everybody in this step ends, and their slots start empty.
      for (const { slot, job } of turns) {
        this.#admission.clear(slot);
        this.#end(slot, job, failed("The engine failed while computing this answer.", thrown));
      }
      return;
    }
    this.#speed.record(turns, this.#ports.monotonicMs() - startedAtMs);
    for (const [at, turn] of turns.entries()) {
      const token = sampled[at] ?? null;
      const logprob = logprobs?.[at] ?? null;
      if (logprob !== null) turn.job.logprobs?.push(logprob);
      if (token !== null) this.#take(turn.slot, turn.job, token);
    }
  }

  /** One new token of an answer. */
  #take(slot: Slot, job: Job, token: number): void {
    if (token < 0) {
      this.#end(slot, job, failed("Nothing can follow here under the grammar that was asked for.", null));
      return;
    }
    job.firstTokenAtMs ??= this.#ports.monotonicMs();
    job.phase = "decode";
    job.nextToken = token;
    job.completionTokens += 1;
    const ends = this.#model.isEndOfGeneration(token);
    // A finished grammar allows nothing but the end, so `ignoreEos` cannot go on there.
    if (ends && (!job.options.ignoreEos || job.options.grammar !== null)) {
      this.#end(slot, job, { type: "done", finishReason: "stop" });
      return;
    }
    if (!job.cancelled) {
      const piece = job.text.push(token);
      if (piece.text !== "") this.#text(job, piece.text);
      if (piece.stop !== null) {
        this.#end(slot, job, { type: "done", finishReason: "stop", stopSequence: piece.stop });
        return;
      }
    }
    const full = slot.tokens.length >= this.#model.contextLength;
    if (full || job.completionTokens >= job.options.maxTokens) {
      this.#end(slot, job, { type: "done", finishReason: "length" });
    }
  }

  #end(slot: Slot, job: Job, end: JobEnd): void {
    if (end.type === "done") {
      const rest = job.text.flush();
      if (rest !== "") this.#text(job, rest);
    }
    this.#events.push({ id: job.id, ...end, ...generationEnd(job, this.#ports.monotonicMs()) });
    slot.job = null;
  }

  #text(job: Job, text: string): void {
    const logprobs = job.logprobs?.release(text);
    this.#events.push({
      id: job.id,
      type: "text",
      text,
      tokens: job.completionTokens,
      ...(logprobs === undefined ? {} : { logprobs }),
    });
  }
}

function failed(message: string, cause: unknown): JobEnd {
  const detail = cause instanceof Error ? ` (${cause.message})` : "";
  return { type: "failed", code: "internal", message: `${message}${detail}` };
}
