/**
 * Requests for vectors or scores, computed in turns: one input of each, then one of the next request, so that a single text
 * waits for a few inputs and not for somebody's batch of two thousand. Runs in a worker process, beside the step loop of the
 * chat models and never in the same process.
 *
 * The binding computes one input per call (`native-embedder.ts`); an abort is seen between two inputs, and within a long one
 * between two pieces.
 */
import type { PooledEnd, PooledEvent, WorkerSlot } from "../protocol.ts";
import type { NativeEmbedder } from "./native-embedder.ts";

export interface EmbedJob {
  readonly id: string;
  readonly caller: string;
  /** Tokens of each input. */
  readonly inputs: readonly Uint32Array[];
}

interface Running extends EmbedJob {
  done: number;
  promptTokens: number;
  startedAtMs: number | null;
  cancelled: boolean;
}

export interface EmbedLoopPorts {
  monotonicMs(): number;
  emit(id: string, event: PooledEvent): void;
}

export class EmbedLoop {
  readonly #embedder: Pick<NativeEmbedder, "compute">;
  readonly #ports: EmbedLoopPorts;
  readonly #slots: number;
  /** The next in turn first; the one being computed too. */
  #jobs: Running[] = [];
  #computing: Running | null = null;
  #active = false;

  /** `slots`: how many requests the parent sends at the same time at most. */
  constructor(embedder: Pick<NativeEmbedder, "compute">, slots: number, ports: EmbedLoopPorts) {
    this.#embedder = embedder;
    this.#slots = slots;
    this.#ports = ports;
  }

  submit(job: EmbedJob): void {
    this.#jobs.push({ ...job, done: 0, promptTokens: 0, startedAtMs: null, cancelled: false });
    if (!this.#active) void this.#run();
  }

  cancel(id: string): void {
    const job = this.#jobs.find((one) => one.id === id);
    if (job === undefined) return;
    job.cancelled = true;
    // What is not being computed right now need not wait for what is.
    if (job !== this.#computing) this.#end(job, { type: "cancelled", ...this.#sum(job) });
  }

  /** `tokens`: those that were computed. */
  view(): WorkerSlot[] {
    const taken = this.#jobs.map((job): WorkerSlot => {
      const state = job === this.#computing ? "prefill" : "waiting";
      return { state, tokens: job.promptTokens, caller: job.caller };
    });
    const idle: WorkerSlot = { state: "idle", tokens: 0, caller: null };
    return [...taken, ...Array.from({ length: Math.max(0, this.#slots - taken.length) }, () => idle)];
  }

  async #run(): Promise<void> {
    this.#active = true;
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      this.#computing = job;
      await this.#oneInput(job);
      this.#computing = null;
      const first = this.#jobs[0];
      if (first === job) this.#jobs = [...this.#jobs.slice(1), job];
      // Messages are read between two inputs: a cancellation, a state question, the next request.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#active = false;
  }

  async #oneInput(job: Running): Promise<void> {
    job.startedAtMs ??= this.#ports.monotonicMs();
    const tokens = job.inputs[job.done];
    try {
      const vector = tokens === undefined ? null : await this.#embedder.compute(tokens, () => job.cancelled);
      if (tokens === undefined || vector === null || job.cancelled) {
        this.#end(job, { type: "cancelled", ...this.#sum(job) });
        return;
      }
      job.promptTokens += tokens.length;
      this.#ports.emit(job.id, { type: "vector", index: job.done, vector: base64Of(vector) });
      job.done += 1;
      if (job.done === job.inputs.length) this.#end(job, { type: "done", ...this.#sum(job) });
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      process.stderr.write(`embedding failed: ${why}\n`);
      const message = "The engine could not compute this input.";
      this.#end(job, { type: "failed", code: "internal", message, ...this.#sum(job) });
    }
  }

  #end(job: Running, event: PooledEvent): void {
    this.#jobs = this.#jobs.filter((one) => one !== job);
    this.#ports.emit(job.id, event);
  }

  #sum(job: Running): PooledEnd {
    const nowMs = this.#ports.monotonicMs();
    return { promptTokens: job.promptTokens, computeMs: Math.round(nowMs - (job.startedAtMs ?? nowMs)) };
  }
}

/** Little-endian float32, as every machine that this runs on keeps them. */
function base64Of(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}
