/**
 * The life of one model: unloaded → loading → ready, back-off after a crash, failed after too many. Runs in the server
 * process. It owns its state: others ask it to become ready and never read the state to decide what to do.
 */
import { availableParallelism } from "node:os";
import type { ChatRequest } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import { type Cleaned, cleaned } from "../../domain/hygiene.ts";
import type { ModelState, ModelView, ServedModel } from "../../domain/model.ts";
import type { Clock, Log, ModelFile, Publish } from "../../domain/ports.ts";
import type { Preparer } from "./preparation/preparer.ts";
import type { Preparation } from "./preparation/prompts.ts";
import type { PromptInput } from "./preparation/protocol.ts";
import { type ReplyFormat, replyFormatOf } from "./reply/format-of.ts";
import { afterCrash } from "./restart-policy.ts";
import type { KvStore } from "./kv-store/kv-store.ts";
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
}

export interface HostPorts {
  readonly startWorker: StartWorker;
  readonly preparer: Preparer;
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: Publish;
  readonly kvStore: Pick<KvStore, "placeOf">;
}

/** How long a failed load is remembered before a request may try again. */
const failedLoadMs = 30_000;
/** Time a worker gets to save what its slots hold and end by itself; the server's own backstop is longer. */
const shutdownLimitMs = 6_000;
/** A state question that takes longer is answered from what is known. */
const stateLimitMs = 500;

/** Below this a model is computed faster by one thread than by several that wait for each other at every layer. */
const tinyModelBytes = 32 * 2 ** 20;

/** Leaves a core to HTTP where there are more than two; a tiny model gets one thread. */
export function chooseThreads(sizeBytes: number, cores: number): number {
  if (sizeBytes < tinyModelBytes) return 1;
  return cores <= 2 ? cores : cores - 1;
}

/** Tokens per slot when nobody asked: what a desktop machine has memory for, and what a coding agent needs of a tiny model. */
const defaultContextLength = 8_192;
const tinyDefaultContextLength = 32_768;

/** What was asked for, else a default that the model was trained for. */
export function chooseContext(asked: number | null, trained: number, sizeBytes: number): number {
  return asked ?? Math.min(trained, sizeBytes < tinyModelBytes ? tinyDefaultContextLength : defaultContextLength);
}

/** What the engine may keep for the outputs of one step that cannot be split. Bytes. */
const onePieceOutputBytes = 2 ** 30;

/**
 * Most tokens of one input where all of it is computed in one step. The engine keeps a number per token and vocabulary entry
 * for the outputs of a step, and one per pair of tokens while it computes (145 MB at 8,192); an encoder has learned no places
 * past what it was trained for.
 */
export function chooseOnePieceContext(asked: number | null, trained: number, vocabularySize: number): number {
  if (asked !== null) return Math.min(asked, trained);
  const fitting = Math.max(512, Math.floor(onePieceOutputBytes / (4 * vocabularySize)));
  return Math.min(trained, defaultContextLength, fitting);
}

interface Situation {
  readonly state: ModelState;
  readonly sinceMs: number;
  readonly reason: string;
  /** For people: the wall clock, which may be set at any time. */
  readonly untilMs: number | null;
  /** The same moment as time goes on; what is waited for. */
  readonly dueMs: number | null;
}

export class ModelHost {
  readonly file: ModelFile;
  readonly line: WaitingLine;
  /** How the model writes reasoning and calls: told once, it is asked for several times in every request. */
  readonly replyFormat: ReplyFormat;
  readonly #settings: EngineSettings;
  readonly #ports: HostPorts;
  #situation: Situation;
  #link: WorkerLink | null = null;
  #loaded: Loaded | null = null;
  #becomingReady: Promise<WorkerLink> | null = null;
  #crashesAtMs: number[] = [];
  #closed = false;
  #onGone: (() => void) | null = null;

  constructor(file: ModelFile, settings: EngineSettings, ports: HostPorts) {
    this.file = file;
    this.replyFormat = replyFormatOf(file);
    this.#settings = settings;
    this.#ports = ports;
    const slots = file.slots ?? settings.slots;
    this.line = new WaitingLine(file.alias, slots, settings.queue, ports.clock, (callers) =>
      this.#link?.waiting(callers),
    );
    this.#situation = {
      state: "unloaded",
      sinceMs: ports.clock.now(),
      reason: "not asked for yet",
      untilMs: null,
      dueMs: null,
    };
  }

  /** Tokens one request may hold. The engine may round it up a little when it loads the model. */
  get contextLength(): number {
    const { file } = this;
    const asked = file.context ?? this.#settings.context;
    if (this.#loaded === null && file.pooled?.inOnePiece) {
      return chooseOnePieceContext(file.context, file.trainedContextLength, file.pooled.vocabularySize);
    }
    return this.#loaded?.contextLength ?? chooseContext(asked, file.trainedContextLength, file.sizeBytes);
  }

  /** Requests it answers at the same time. */
  get slots(): number {
    return this.file.slots ?? this.#settings.slots;
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
    };
  }

  health(): { able: boolean; reason: string } {
    const able = this.#situation.state !== "failed" && this.#situation.state !== "stopping";
    return { able, reason: this.#situation.reason };
  }

  /**
   * A loaded worker; loads it, or waits for a load or a restart that is under way. Throws `model_unavailable` with the
   * reason when it cannot be loaded, `shutting_down` while the box stops.
   */
  async ready(): Promise<WorkerLink> {
    if (this.#closed) throw new Failure("shutting_down", "The box is shutting down.");
    if (this.#situation.state === "ready" && this.#link?.alive) return this.#link;
    if (this.#situation.state === "failed" && (this.#waitMs() ?? 0) > 0) {
      throw this.#unavailable();
    }
    this.#becomingReady ??= this.#load().finally(() => {
      this.#becomingReady = null;
    });
    return this.#becomingReady;
  }

  async view(): Promise<ModelView> {
    const { state, sinceMs, reason, untilMs } = this.#situation;
    const answer = (await this.#link?.state(stateLimitMs)) ?? null;
    return {
      id: this.file.alias,
      capabilities: [this.file.pooled?.capability ?? "chat"],
      fileName: this.file.fileName,
      sizeBytes: this.file.sizeBytes,
      demo: this.file.demo,
      state,
      since: sinceMs,
      reason,
      until: untilMs,
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
    this.#become("stopping", "the box is shutting down", null);
    const link = this.#link;
    if (!link?.alive) return;
    await new Promise<void>((resolve) => {
      this.#onGone = resolve;
      link.shutdown(shutdownLimitMs);
    });
  }

  async #load(): Promise<WorkerLink> {
    const { clock, log } = this.#ports;
    await this.#backOff();
    if (this.#closed) throw new Failure("shutting_down", "The box is shutting down.");
    this.#become("loading", "asked for", null);
    const startedAtMs = clock.monotonicMs();
    const { pooled } = this.file;
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
        contextLength: this.contextLength,
        slots: this.slots,
        batchSize: this.#settings.batchSize,
        threads: this.#settings.threads ?? chooseThreads(this.file.sizeBytes, availableParallelism()),
        tokenGapMs: this.#settings.tokenGapMs,
        // Read from the file while the process starts.
        kvStore: pooled === null ? await this.#ports.kvStore.placeOf(this.file) : null,
        pooled,
      });
      const loadMs = Math.round(clock.monotonicMs() - startedAtMs);
      log.info({ model: this.file.alias, workerPid: link.pid, gpu: this.#loaded.gpu, loadMs }, "model loaded");
      this.#become("ready", `loaded in ${loadMs} ms`, null);
      link.waiting(this.line.callers);
      return link;
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.code !== "model_unavailable") throw thrown;
      log.error({ model: this.file.alias, cause: thrown.cause }, "model could not be loaded");
      this.#become("failed", "the engine could not load it (see the log)", failedLoadMs);
      link.shutdown(shutdownLimitMs);
      throw this.#unavailable();
    } finally {
      stopTimer();
    }
  }

  /** Waits out the delay after the last crash. Throws when it crashed too often. */
  async #backOff(): Promise<void> {
    const { clock } = this.#ports;
    const waitMs = this.#situation.state === "backing-off" ? this.#waitMs() : null;
    if (waitMs !== null && waitMs > 0) await new Promise<void>((resolve) => clock.after(waitMs, resolve));
  }

  #died(link: WorkerLink, reason: string): void {
    if (this.#link !== link) return;
    this.#link = null;
    this.#onGone?.();
    if (this.#closed || this.#situation.state === "failed") return;
    const { clock, log } = this.#ports;
    const nowMs = clock.monotonicMs();
    this.#crashesAtMs = [...this.#crashesAtMs, nowMs].slice(-32);
    const decision = afterCrash(this.#crashesAtMs, nowMs);
    log.error({ model: this.file.alias, workerPid: link.pid, reason, decision }, "worker died");
    if (decision.type === "give-up") {
      this.#become("failed", `its process kept dying, last: ${reason}`, decision.retryAfterMs);
      return;
    }
    this.#become("backing-off", `its process ended: ${reason}`, decision.afterMs);
    // Somebody may be waiting in `ready` already; if not, it is brought back for the next request all the same.
    clock.after(decision.afterMs, () => {
      if (!this.#closed) void this.ready().catch(() => {});
    });
  }

  /** `forMs`: how long it will stay so; null: until something happens. */
  #become(state: ModelState, reason: string, forMs: number | null): void {
    const { clock } = this.#ports;
    const sinceMs = clock.now();
    const untilMs = forMs === null ? null : sinceMs + forMs;
    this.#situation = { state, sinceMs, reason, untilMs, dueMs: forMs === null ? null : clock.monotonicMs() + forMs };
    void this.view().then((model) => this.#ports.publish({ type: "model", model }));
  }

  /** How long the present state will still last; null where nobody knows. */
  #waitMs(): number | null {
    const { dueMs } = this.#situation;
    return dueMs === null ? null : dueMs - this.#ports.clock.monotonicMs();
  }

  #unavailable(): Failure {
    const { reason } = this.#situation;
    const waitS = (this.#waitMs() ?? 5_000) / 1_000;
    return new Failure("model_unavailable", `"${this.file.alias}" cannot answer: ${reason}.`, {
      retryAfterSeconds: waitS,
    });
  }
}
