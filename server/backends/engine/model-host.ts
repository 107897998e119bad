/**
 * The life of one model: unloaded → loading → ready → stopping → unloaded, back-off after a crash, failed after too many.
 * Runs in the server process. It owns its state: others ask it to become ready and never read the state to decide what to
 * do. When it is loaded and unloaded is decided in `domain/residency` and ordered by `residency.ts`.
 */
import type { ChatRequest } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import type { EngineBytes } from "../../domain/fit/corrections.ts";
import type { LoadPlan, PlanLoad } from "../../domain/fit/load-plan.ts";
import { type Cleaned, cleaned } from "../../domain/hygiene.ts";
import type { HealthDepth, ModelDetails, ModelState, ModelView, ServedModel } from "../../domain/model.ts";
import type { Clock, GpuPromise, Log, ModelFile, Publish } from "../../domain/ports.ts";
import { chooseThreads, simplePlan } from "./load-plan.ts";
import { modelDetails } from "./model-details.ts";
import type { Preparer } from "./preparation/preparer.ts";
import type { Preparation } from "./preparation/prompts.ts";
import type { PromptInput } from "./preparation/protocol.ts";
import { type ReplyFormat, replyFormatOf } from "./reply/format-of.ts";
import { afterCrash } from "./restart-policy.ts";
import type { KvStore } from "./kv-store/kv-store.ts";
import { Situation } from "./situation.ts";
import { WaitingLine } from "./waiting-line.ts";
import { type Loaded, type StartWorker, WorkerLink } from "./worker-link.ts";

export interface EngineSettings {
  /** Compute threads; null: chosen from the model's size and the machine. */
  readonly threads: number | null;
  readonly slots: number;
  /** Tokens per slot; null: the model's own, at most the engine's default. */
  readonly context: number | null;
  readonly batchSize: number;
  readonly tokenGapMs: number;
  /** Most requests waiting for one model. */
  readonly queue: number;
  readonly loadTimeoutMs: number;
  readonly watchdogMs: number;
  readonly templateTimeLimitMs: number;
  /** Take out of prompts what changes with every request (`domain/hygiene`). */
  readonly hygiene: "on" | "off";
  /** A model that is not used for so long leaves memory; null: never. A model's file may say otherwise. */
  readonly keepAliveMs: number | null;
  /** A model that was loaded for a request is not pushed out by another before it was there so long. */
  readonly minimumStayMs: number;
}

export interface HostPorts {
  readonly startWorker: StartWorker;
  readonly preparer: Preparer;
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: Publish;
  readonly kvStore: Pick<KvStore, "placeOf">;
  /** How a model is to be loaded; asked before each load. */
  readonly plan: PlanLoad;
  /** Told after each load what the engine says it took. */
  readonly learn?: (file: ModelFile, plan: LoadPlan, measured: EngineBytes) => void;
  /** Absent: no GPU is promised to anybody. */
  readonly gpus?: GpuPromise;
}

/** Whoever keeps the room in memory: told of what happens by itself, and asked what people see of it. */
export interface HostKeeper {
  /** It was loaded, is not any more, and does not come back by itself. */
  lost(failure: Failure): void;
  about(): ResidencyView;
}

export interface ResidencyView {
  readonly pinned: boolean;
  /** Requests that wait until it is loaded. */
  readonly waiting: number;
  /** What they wait for; null where its own state says it all. */
  readonly waitsFor: string | null;
  /** Epoch milliseconds at which it leaves memory if nobody uses it; null: it does not, or is in use. */
  readonly unloadsAtMs: number | null;
}

/** How long a failed load is remembered before a request may try again. */
const failedLoadMs = 30_000;
/** How long it is remembered that a worker found no GPU: the hardware is looked at meanwhile. */
const missingGpuMs = 5_000;
/** Time a worker gets to save what its slots hold and end by itself; the server's own backstop is longer. */
const shutdownLimitMs = 6_000;
/** A state question that takes longer is answered from what is known. */
const stateLimitMs = 500;

export class ModelHost {
  readonly file: ModelFile;
  readonly line: WaitingLine;
  /** How the model writes reasoning and calls: told once, it is asked for several times in every request. */
  readonly replyFormat: ReplyFormat;
  readonly #details: ModelDetails;
  readonly #settings: EngineSettings;
  readonly #ports: HostPorts;
  readonly #keeper: HostKeeper;
  #situation: Situation;
  /** How it is loaded, or would be. */
  #plan: LoadPlan;
  #link: WorkerLink | null = null;
  #loaded: Loaded | null = null;
  #becomingReady: Promise<WorkerLink> | null = null;
  #crashesAtMs: number[] = [];
  /** Counts unloads: what was begun before one must not go on after it. */
  #life = 0;
  /** It was ready since its last unload: a crash is followed by a restart without being asked. */
  #wasReady = false;
  #closed = false;
  #onGone: (() => void)[] = [];

  constructor(file: ModelFile, settings: EngineSettings, ports: HostPorts, keeper: HostKeeper) {
    this.file = file;
    this.replyFormat = replyFormatOf(file);
    this.#details = modelDetails(file);
    this.#settings = settings;
    this.#ports = ports;
    this.#keeper = keeper;
    const plan = ports.plan(file);
    // What cannot be loaded now has figures all the same: what the settings ask for.
    this.#plan = plan.type === "load" ? plan : simplePlan(settings)(file);
    this.line = new WaitingLine(file.alias, this.#plan.slots, settings.queue, ports.clock, (callers) =>
      this.#link?.waiting(callers),
    );
    this.#situation = new Situation(ports.clock, "unloaded", "not asked for yet", null);
  }

  /** Tokens one request may hold. The engine may round it up a little when it loads the model. */
  get contextLength(): number {
    return this.#loaded?.contextLength ?? this.#plan.contextLength;
  }

  /** Requests it answers at the same time. */
  get slots(): number {
    return this.#plan.slots;
  }

  /** How it is loaded, or would be now. Throws `no_room` with the reason when it cannot be loaded here. */
  plan(): LoadPlan {
    if (this.#link !== null || this.#becomingReady !== null) return this.#plan;
    const plan = this.#ports.plan(this.file);
    if (plan.type === "refuse") {
      throw new Failure("no_room", `"${this.file.alias}" cannot be loaded here. ${plan.reason}`, {
        retryAfterSeconds: 60,
      });
    }
    this.#plan = plan;
    this.line.resize(plan.slots);
    return plan;
  }

  /** The request as it is computed, with what was done to it. */
  cleaned(request: ChatRequest): Cleaned {
    return this.#settings.hygiene === "on" ? cleaned(request) : { request, notes: [] };
  }

  /** The tokens of a prompt, counted without loading the weights. Throws what `Preparer.prepare` throws. */
  prepare(prompt: PromptInput): Promise<Preparation> {
    if (this.#closed) return Promise.reject(new Failure("shutting_down", "The box is shutting down."));
    const { path, chatTemplate, tokenizer, vocabularySize } = this.file;
    const file = { path, chatTemplate, tokenizer, vocabularySize };
    return this.#ports.preparer.prepare({ file, prompt, contextLength: this.contextLength });
  }

  served(): ServedModel {
    return {
      alias: this.file.alias,
      capabilities: [this.file.pooled?.capability ?? "chat"],
      embeddingLength: this.file.pooled?.capability === "embeddings" ? this.file.pooled.embeddingLength : null,
      fileName: this.file.fileName,
      sizeBytes: this.file.sizeBytes,
      createdAtMs: this.file.createdAtMs,
      contextLength: this.contextLength,
      slots: this.slots,
      demo: this.file.demo,
      details: this.#details,
    };
  }

  health(): { able: boolean; reason: string; depth: HealthDepth } {
    const { state, reason } = this.#situation;
    return { able: state !== "failed" && !this.#closed, reason, depth: state === "ready" ? "loaded" : "reachable" };
  }

  /** Why nobody need ask for it now; null: it may be asked for. */
  refusal(): Failure | null {
    if (this.#closed) return new Failure("shutting_down", "The box is shutting down.");
    const missing = this.#missingGpu();
    if (missing !== null) return missing;
    return this.#situation.state === "failed" && (this.#situation.leftMs ?? 0) > 0 ? this.#unavailable() : null;
  }

  /**
   * A loaded worker; loads it, or waits for a load or a restart that is under way. To be called only while its room in
   * memory is kept (`residency.ts`). Throws `model_unavailable` with the reason when it cannot be loaded, `shutting_down`
   * while the box stops.
   */
  async ready(): Promise<WorkerLink> {
    const refusal = this.refusal();
    if (refusal !== null) throw refusal;
    if (this.#situation.state === "ready" && this.#link?.alive) return this.#link;
    if (this.#becomingReady === null) {
      const loading: Promise<WorkerLink> = this.#load().finally(() => {
        if (this.#becomingReady === loading) this.#becomingReady = null;
      });
      this.#becomingReady = loading;
    }
    return this.#becomingReady;
  }

  /** Ends its process, if there is one, and resolves when it is gone: that is what frees the memory. */
  async unload(reason: string): Promise<void> {
    this.#life += 1;
    this.#wasReady = false;
    this.#becomingReady = null;
    await this.#end(reason);
    this.#loaded = null;
    if (!this.#closed) this.#become("unloaded", reason, null);
  }

  async view(): Promise<ModelView> {
    const { state, sinceMs, reason, untilMs } = this.#situation;
    const { pinned, waiting, waitsFor, unloadsAtMs } = this.#keeper.about();
    const answer = (await this.#link?.state(stateLimitMs)) ?? null;
    return {
      id: this.file.alias,
      capabilities: [this.file.pooled?.capability ?? "chat"],
      fileName: this.file.fileName,
      sizeBytes: this.file.sizeBytes,
      demo: this.file.demo,
      state,
      since: sinceMs,
      reason: state === "unloaded" && waitsFor !== null ? waitsFor : reason,
      until: state === "ready" ? unloadsAtMs : untilMs,
      pinned,
      waiting,
      workerPid: this.#link?.alive ? this.#link.pid : null,
      contextLength: this.contextLength,
      slots: answer?.slots ?? [],
    };
  }

  /** The key of a sharing group has ended. */
  forget(group: string): void {
    this.#link?.forget(group);
  }

  /** Ends the worker; resolves when its process is gone. New requests are refused from now on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#life += 1;
    await this.#end("the box is shutting down");
  }

  async #end(reason: string): Promise<void> {
    const link = this.#link;
    if (this.#closed || link?.alive) this.#become("stopping", reason, null);
    if (!link?.alive) return;
    await new Promise<void>((resolve) => {
      this.#onGone.push(resolve);
      link.shutdown(shutdownLimitMs);
    });
  }

  async #load(): Promise<WorkerLink> {
    const { clock, log } = this.#ports;
    const life = this.#life;
    await this.#backOff();
    this.#checkLife(life);
    this.#become("loading", "asked for", null);
    const startedAtMs = clock.monotonicMs();
    const { pooled } = this.file;
    const plan = this.#plan;
    const link = new WorkerLink(this.#ports.startWorker, clock, this.#settings.watchdogMs, {
      onDeath: (reason) => this.#died(link, reason),
    });
    this.#link = link;
    const stopTimer = clock.after(this.#settings.loadTimeoutMs, () => {
      link.kill(`did not load within ${this.#settings.loadTimeoutMs} ms`);
    });
    try {
      this.#loaded = await link.load({
        modelPath: this.file.path,
        contextLength: plan.contextLength,
        slots: plan.slots,
        batchSize: this.#settings.batchSize,
        threads: this.#settings.threads ?? chooseThreads(this.file.sizeBytes),
        gpuLayers: plan.gpuLayers,
        kvType: plan.kv,
        tokenGapMs: this.#settings.tokenGapMs,
        // Read from the file while the process starts.
        kvStore: pooled === null ? await this.#ports.kvStore.placeOf(this.file) : null,
        pooled,
      });
      this.#checkLife(life);
      const missing = this.#missingGpu();
      if (missing !== null) throw missing;
      const loadMs = Math.round(clock.monotonicMs() - startedAtMs);
      log.info({ model: this.file.alias, workerPid: link.pid, gpu: this.#loaded.gpu, loadMs }, "model loaded");
      if (this.#loaded.memory !== null) this.#ports.learn?.(this.file, plan, this.#loaded.memory);
      this.#wasReady = true;
      this.#become("ready", `loaded in ${loadMs} ms`, null);
      link.waiting(this.line.callers);
      return link;
    } catch (thrown) {
      if (life !== this.#life || !(thrown instanceof Failure) || thrown.code !== "model_unavailable") throw thrown;
      log.error({ model: this.file.alias, cause: thrown.cause ?? thrown.why }, "model could not be loaded");
      link.shutdown(shutdownLimitMs);
      throw thrown.why === null
        ? this.#fail("the engine could not load it (see the log)", failedLoadMs)
        : this.#fail(thrown.why, missingGpuMs);
    } finally {
      stopTimer();
    }
  }

  /** Throws when it was unloaded, or the box began to stop, since `life` was read. */
  #checkLife(life: number): void {
    if (this.#closed) throw new Failure("shutting_down", "The box is shutting down.");
    if (life !== this.#life) throw new Failure("model_unavailable", `"${this.file.alias}" was unloaded meanwhile.`);
  }

  /** Waits out the delay after the last crash. */
  async #backOff(): Promise<void> {
    const waitMs = this.#situation.state === "backing-off" ? this.#situation.leftMs : null;
    if (waitMs !== null && waitMs > 0) await new Promise<void>((resolve) => this.#ports.clock.after(waitMs, resolve));
  }

  #died(link: WorkerLink, reason: string): void {
    if (this.#link !== link) return;
    this.#link = null;
    for (const tell of this.#onGone.splice(0)) tell();
    const { state } = this.#situation;
    if (this.#closed || state === "failed" || state === "stopping") return;
    const { clock, log } = this.#ports;
    const nowMs = clock.monotonicMs();
    this.#crashesAtMs = [...this.#crashesAtMs, nowMs].slice(-32);
    const decision = afterCrash(this.#crashesAtMs, nowMs);
    log.error({ model: this.file.alias, workerPid: link.pid, reason, decision }, "worker died");
    if (decision.type === "give-up") {
      this.#fail(`its process kept dying, last: ${reason}`, decision.retryAfterMs);
      return;
    }
    this.#become("backing-off", `its process ended: ${reason}`, decision.afterMs);
    const life = this.#life;
    clock.after(decision.afterMs, () => {
      if (this.#closed || life !== this.#life || this.#situation.state !== "backing-off") return;
      // Its room is kept, and somebody may be waiting in `ready`; if not, it is brought back for the next request.
      if (this.#wasReady) void this.ready().catch(() => {});
      else if (this.#becomingReady === null) this.#become("unloaded", `its process ended: ${reason}`, null);
    });
  }

  #fail(reason: string, forMs: number): Failure {
    this.#become("failed", reason, forMs);
    const failure = this.#unavailable();
    if (this.#wasReady) {
      this.#wasReady = false;
      this.#keeper.lost(failure);
    }
    return failure;
  }

  #become(state: ModelState, reason: string, forMs: number | null): void {
    this.#situation = new Situation(this.#ports.clock, state, reason, forMs);
    void this.view().then((model) => this.#ports.publish({ type: "model", model }));
  }

  /** Why it must not answer: a GPU was promised and is lost, or its worker found none. Never silently the CPU. */
  #missingGpu(): Failure | null {
    const { gpus } = this.#ports;
    const lost = gpus?.lost(this.file.sizeBytes) ?? null;
    if (lost !== null) return gpuMissing(this.file.alias, lost.reason, lost.retryAfterMs);
    if (!gpus?.isPromised() || this.#loaded?.gpu !== "cpu" || !this.#link?.alive) return null;
    gpus.missed();
    this.#link.kill("it computes on the CPU where a GPU was promised");
    return gpuMissing(this.file.alias, "its process found no GPU where one was promised", missingGpuMs);
  }

  #unavailable(): Failure {
    const { reason, leftMs } = this.#situation;
    return new Failure("model_unavailable", `"${this.file.alias}" cannot answer: ${reason}.`, {
      retryAfterSeconds: (leftMs ?? 5_000) / 1_000,
    });
  }
}

function gpuMissing(alias: string, reason: string, retryAfterMs: number): Failure {
  const message = `"${alias}" cannot answer: ${reason}.`;
  return new Failure("model_unavailable", message, { why: reason, retryAfterSeconds: retryAfterMs / 1_000 });
}
