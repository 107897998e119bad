/**
 * Jobs into slots: who goes where, with which prefix, and a sampler of its own wishes. Between steps only, called by the step
 * loop. Runs in a worker process; `slots.ts` decides.
 */
import type { StepEvent } from "../protocol.ts";
import { type Job, type Slot, slotFacts } from "./job.ts";
import type { NativeModel } from "./native.ts";
import { Prefixes } from "./prefix.ts";
import { samplerConfig } from "./sampling.ts";
import { type Placement, placeInSlot } from "./slots.ts";
import type { Snapshots } from "./snapshots.ts";

/** Enough for `<think>` and a line break in any vocabulary. */
const promptEndTokens = 12;

export interface AdmissionPorts {
  /** Unsigned 32 bits. */
  readonly randomSeed: () => number;
  readonly started: (event: Extract<StepEvent, { type: "started" }>) => void;
  /** Its slot is empty and its job must be ended. */
  readonly failed: (slot: Slot, job: Job, thrown: unknown) => void;
}

export class Admission {
  /** In the order they came; the step loop adds and drops. */
  readonly pending: Job[] = [];
  readonly #model: NativeModel;
  readonly #slots: readonly Slot[];
  readonly #snapshots: Snapshots;
  readonly #prefixes: Prefixes;
  readonly #ports: AdmissionPorts;
  #uses = 0;

  constructor(model: NativeModel, slots: readonly Slot[], snapshots: Snapshots, ports: AdmissionPorts) {
    this.#model = model;
    this.#slots = slots;
    this.#snapshots = snapshots;
    this.#prefixes = new Prefixes(model, snapshots);
    this.#ports = ports;
  }

  /** As many pending jobs as there are slots for. */
  async admit(): Promise<void> {
    for (let job = this.pending[0]; job !== undefined; job = this.pending[0]) {
      const wish = { ...job, share: job.options.cachePrompt };
      const placement = placeInSlot(this.#slots.map(slotFacts), this.#snapshots.facts(), wish);
      if (placement === null) return;
      this.pending.shift();
      await this.#place(job, placement);
    }
  }

  /** Jobs that waited for a shared prefix: when it is there, or will never come, they are placed again in their own slot. */
  async resumeWaiting(): Promise<void> {
    for (const slot of this.#slots) {
      const job = slot.job;
      if (job?.waitFor == null) continue;
      const source = this.#slots[job.waitFor.sequence];
      const stillComing = source?.job?.id === job.waitFor.jobId && source.tokens.length < job.waitFor.until;
      if (stillComing) continue;
      const facts = this.#slots.map((other) => ({ ...slotFacts(other), busy: other !== slot }));
      const placement = placeInSlot(facts, this.#snapshots.facts(), { ...job, share: true });
      if (placement !== null) await this.#place(job, placement);
    }
  }

  /** Forgets what a slot holds. */
  clear(slot: Slot): void {
    this.#prefixes.clear(slot);
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
      job.cachedTokens = await this.#prefixes.put(slot, job.group, placement, this.#slots);
      this.#configureSampler(slot, job);
      const promptEnd = this.#model.spell(job.prompt.slice(-promptEndTokens));
      this.#ports.started({ id: job.id, type: "started", cachedTokens: job.cachedTokens, promptEnd });
    } catch (thrown) {
      this.#ports.failed(slot, job, thrown);
    }
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

  #slotOf(sequence: number): Slot {
    const slot = this.#slots[sequence];
    if (!slot) throw new Error(`no slot ${sequence}`);
    return slot;
  }
}
