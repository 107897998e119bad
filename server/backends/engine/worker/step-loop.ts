/**
 * The step loop: one decode call after another over all slots of one context. Runs in a worker process.
 *
 * Each step gives every answering stream one token and computes a chunk of waiting prompts. Admission, copies, cuts and
 * aborts happen only between steps, so that no request ever waits for another one's whole prompt. What to do is decided in
 * `slots.ts` and `chunk.ts`; this file carries it out.
 */
import type { ChosenLogprob } from "../../../domain/chat.ts";
import type { StepEvent, WorkerSlot } from "../protocol.ts";
import { type CallerFacts, chunkTokens, heldBack, sharePrefill } from "./chunk.ts";
import { generationEnd, type Job, type JobEnd, type Slot, slotFacts, slotView } from "./job.ts";
import type { BatchPart, NativeModel } from "./native.ts";
import { samplerConfig } from "./sampling.ts";
import { type Placement, placeInSlot } from "./slots.ts";
import type { Snapshots } from "./snapshots.ts";
import { StepSpeed } from "./step-speed.ts";
import { Wanting } from "./wanting.ts";

/** Enough for `<think>` and a line break in any vocabulary. */
const promptEndTokens = 12;

export interface StepLoopPorts {
  readonly monotonicMs: () => number;
  /** Unsigned 32 bits. */
  readonly randomSeed: () => number;
  /** One call per step; never with an empty list. */
  readonly emit: (events: readonly StepEvent[]) => void;
}

/** Longest wait for the next job of a slot, in milliseconds; the way to the server and back takes less than one. */
const refillMs = 20;

/** A slot's share of one step. */
interface Turn {
  readonly slot: Slot;
  readonly job: Job;
  readonly tokens: readonly number[];
  readonly wantsLogits: boolean;
}

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
  readonly #pending: Job[] = [];
  readonly #snapshots: Snapshots;
  readonly #speed = new StepSpeed();
  readonly #wanting = new Wanting();
  #events: StepEvent[] = [];
  #uses = 0;
  #running = false;
  /** Set while the loop waits for somebody to take a slot that has just become free. */
  #onSubmit: (() => void) | null = null;

  constructor(model: NativeModel, snapshots: Snapshots, tokenGapMs: number, ports: StepLoopPorts) {
    this.#model = model;
    this.#snapshots = snapshots;
    this.#ports = ports;
    this.#tokenGapMs = tokenGapMs;
    this.#slots = Array.from({ length: model.slots }, (_, sequence) => ({
      sequence,
      // One sampler per slot for the life of the process: each holds 12 bytes per vocabulary entry that only a garbage
      // collection would free, and V8 does not know of them.
      sampler: model.newSampler(),
      tokens: [],
      job: null,
      lastUse: 0,
      session: null,
      side: true,
    }));
  }

  /** Takes a job; it starts between the current step and the next. */
  submit(job: Job): void {
    this.#pending.push(job);
    this.#onSubmit?.();
    this.#wake();
  }

  /** Ends the job between the current step and the next. Unknown ids are ignored: the answer may just have ended. */
  cancel(id: string): void {
    const job = this.#pending.find((one) => one.id === id) ?? this.#slots.find((slot) => slot.job?.id === id)?.job;
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

  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run().finally(() => {
      this.#running = false;
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      this.#dropCancelled();
      await this.#admit();
      await this.#resumeWaiting();
      const turns = this.#plan();
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
    while (this.#wanting.somebodyWaits && this.#freeSlots() > this.#pending.length) {
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

  #dropCancelled(): void {
    for (const job of this.#pending.filter((one) => one.cancelled)) {
      this.#pending.splice(this.#pending.indexOf(job), 1);
      this.#events.push({ id: job.id, type: "cancelled", ...generationEnd(job, this.#ports.monotonicMs()) });
    }
    for (const slot of this.#slots) if (slot.job?.cancelled) this.#end(slot, slot.job, { type: "cancelled" });
  }

  async #admit(): Promise<void> {
    while (this.#pending.length > 0) {
      const job = this.#pending[0];
      if (!job) return;
      const facts = this.#slots.map(slotFacts);
      const placement = placeInSlot(facts, this.#snapshots.facts(), job.prompt, job.options.cachePrompt, job.session);
      if (placement === null) return;
      this.#pending.shift();
      await this.#place(job, placement);
    }
  }

  /** Jobs that waited for a shared prefix: when it is there, or will never come, they are placed again in their own slot. */
  async #resumeWaiting(): Promise<void> {
    for (const slot of this.#slots) {
      const job = slot.job;
      if (job?.waitFor == null) continue;
      const source = this.#slots[job.waitFor.sequence];
      const stillComing = source?.job?.id === job.waitFor.jobId && source.tokens.length < job.waitFor.until;
      if (stillComing) continue;
      const facts = this.#slots.map((other) => ({ ...slotFacts(other), busy: other !== slot }));
      const placement = placeInSlot(facts, this.#snapshots.facts(), job.prompt, true, job.session);
      if (placement !== null) await this.#place(job, placement);
    }
  }

  async #place(job: Job, placement: Placement): Promise<void> {
    const slot = this.#slotOf(placement.sequence);
    slot.job = job;
    slot.session = job.session;
    slot.side = job.side;
    this.#uses += 1;
    slot.lastUse = this.#uses;
    if (placement.type === "wait") {
      const source = this.#slotOf(placement.source);
      job.phase = "waiting";
      job.waitFor = { jobId: source.job?.id ?? "", sequence: placement.source, until: placement.until };
      return;
    }
    job.waitFor = null;
    job.phase = "prefill";
    try {
      job.cachedTokens = await this.#bringPrefix(slot, placement);
      this.#configureSampler(slot, job);
      const promptEnd = this.#model.spell(job.prompt.slice(-promptEndTokens));
      this.#events.push({ id: job.id, type: "started", cachedTokens: job.cachedTokens, promptEnd });
    } catch (thrown) {
      endWithoutMemory(thrown);
      this.#clear(slot);
      this.#end(slot, job, failed("The engine could not prepare a slot for this request.", thrown));
    }
  }

  /** Puts the shared prefix into the slot; gives the tokens that need not be computed. */
  async #bringPrefix(slot: Slot, placement: Exclude<Placement, { type: "wait" }>): Promise<number> {
    // What this slot holds and nobody will hold afterwards: somebody may come back for it.
    const lost = placement.type === "reuse" ? slot.tokens.length - placement.keep : slot.tokens.length;
    if (lost > 0) await this.#snapshots.keep(slot.sequence, slot.tokens, lost);
    if (placement.type === "restore") {
      slot.tokens = [...(await this.#snapshots.bring(slot.sequence, placement.snapshot))];
    }
    if (placement.type === "copy") {
      const source = this.#slotOf(placement.source);
      const copied = await this.#model.copy(slot.sequence, source.sequence);
      if (copied !== source.tokens.length) {
        this.#clear(slot);
        return 0;
      }
      slot.tokens = source.tokens.slice();
    }
    if (slot.tokens.length === placement.keep) return placement.keep;
    const cut = this.#model.truncate(slot.sequence, placement.keep);
    slot.tokens.length = cut ? placement.keep : 0;
    return slot.tokens.length;
  }

  #configureSampler(slot: Slot, job: Job): void {
    const { grammar, sampling } = job.options;
    const config = samplerConfig({
      sampling,
      randomSeed: this.#ports.randomSeed(),
      promptTokens: job.prompt,
      contextLength: this.#model.contextLength,
      vocabularySize: this.#model.vocabularySize,
      grammarState: grammar === null ? null : this.#model.newGrammarState(grammar),
    });
    // The same seed twice would go on where the last answer stopped: another one in between starts it afresh. The penalty
    // stage keeps its history the same way and is rebuilt when it was absent.
    slot.sampler.applyConfig({ temperature: 0, seed: (config.seed ^ 1) >>> 0 });
    slot.sampler.applyConfig(config);
  }

  /** Who gets how many tokens in the next step. */
  #plan(): Turn[] {
    const turns: Turn[] = [];
    const prompts = new Map<string, { slot: Slot; job: Job }>();
    for (const slot of this.#slots) {
      const job = slot.job;
      if (job?.phase === "decode") turns.push({ slot, job, tokens: [job.nextToken], wantsLogits: true });
      if (job?.phase === "prefill") prompts.set(job.id, { slot, job });
    }
    if (prompts.size === 0) return turns;
    const budget = chunkTokens({
      decoding: turns.length,
      batchSize: this.#model.batchSize,
      tokenGapMs: this.#tokenGapMs,
      prefillTokensPerSecond: this.#speed.prefillTokensPerSecond,
      decodeStepMs: this.#speed.decodeStepMs,
      slotAwaited: this.#wanting.somebodyWaits && this.#freeSlots() > 0,
    });
    const held = heldBack(this.#callers());
    const waiting = [...prompts]
      .filter(([, { job }]) => !held.has(job.callerId))
      .map(([key, { slot, job }]) => ({
        key,
        tokensLeft: job.prompt.length - slot.tokens.length,
        passedOver: job.passedOver,
      }));
    for (const { key } of waiting) {
      const job = prompts.get(key)?.job;
      if (job) job.passedOver += 1;
    }
    for (const share of sharePrefill(waiting, budget)) {
      const prompt = prompts.get(share.key);
      if (!prompt) continue;
      prompt.job.passedOver = 0;
      const from = prompt.slot.tokens.length;
      const tokens = prompt.job.prompt.slice(from, from + share.tokens);
      turns.push({ ...prompt, tokens, wantsLogits: from + share.tokens === prompt.job.prompt.length });
    }
    return turns;
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
        this.#clear(slot);
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
      if (piece.stopped) {
        this.#end(slot, job, { type: "done", finishReason: "stop" });
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

  #clear(slot: Slot): void {
    this.#model.truncate(slot.sequence, 0);
    slot.tokens = [];
  }

  #slotOf(sequence: number): Slot {
    const slot = this.#slots[sequence];
    if (!slot) throw new Error(`no slot ${sequence}`);
    return slot;
  }
}

/** The log-probability of a token that was just chosen; null for a stream that did not ask. */
async function judged(
  model: NativeModel,
  job: Job | undefined,
  logitIndex: number | null,
  token: number | null,
): Promise<ChosenLogprob | null> {
  const wish = job?.options.logprobs ?? null;
  if (wish === null || logitIndex === null || token === null || token < 0) return null;
  const { chosen, top } = await model.logprobs(logitIndex, token, wish.top);
  const named = (id: number, logprob: number) => {
    const { text, bytes } = model.tokenText(id);
    return { text: bytes.length === 0 ? text : decoder.decode(Uint8Array.from(bytes)), bytes, logprob };
  };
  return { ...named(token, chosen), top: top.map((one) => named(one.token, one.logprob)) };
}

const decoder = new TextDecoder();

function failed(message: string, cause: unknown): JobEnd {
  const detail = cause instanceof Error ? ` (${cause.message})` : "";
  return { type: "failed", code: "internal", message: `${message}${detail}` };
}
