/**
 * The life of one model: unloaded → loading → ready, back-off after a crash, failed after too many. Runs in the server
 * process. It owns its state: others ask it to become ready and never read the state to decide what to do.
 */
import { availableParallelism } from "node:os";
import { Failure } from "../../domain/failure.ts";
import type { ModelState, ModelView, ServedModel } from "../../domain/model.ts";
import type { Clock, Log, ModelFile, Publish } from "../../domain/ports.ts";
import type { ReplyFormat } from "./reply/format-of.ts";
import { afterCrash } from "./restart-policy.ts";
import type { SnapshotFolders } from "./snapshot-folder.ts";
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
  /** Most bytes of memory for prefixes that left their slot, per model; 0 switches it off. */
  readonly snapshotBytes: number;
}

export interface HostPorts {
  readonly startWorker: StartWorker;
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: Publish;
  readonly snapshots: SnapshotFolders;
}

/** How long a failed load is remembered before a request may try again. */
const failedLoadMs = 30_000;
/** Time a worker gets to end by itself. */
const shutdownLimitMs = 2_000;
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

interface Situation {
  readonly state: ModelState;
  readonly sinceMs: number;
  readonly reason: string;
  readonly untilMs: number | null;
}

export class ModelHost {
  readonly file: ModelFile;
  readonly line: WaitingLine;
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
    this.#settings = settings;
    this.#ports = ports;
    this.line = new WaitingLine(file.alias, file.slots ?? settings.slots, settings.queue, ports.clock);
    this.#situation = { state: "unloaded", sinceMs: ports.clock.now(), reason: "not asked for yet", untilMs: null };
  }

  /** Tokens one request may hold. The engine may round it up a little when it loads the model. */
  get contextLength(): number {
    const { file } = this;
    const asked = file.context ?? this.#settings.context;
    return this.#loaded?.contextLength ?? chooseContext(asked, file.trainedContextLength, file.sizeBytes);
  }

  /** How the model writes reasoning and calls; known once it has been loaded. */
  get replyFormat(): ReplyFormat {
    return this.#loaded?.replyFormat ?? "any";
  }

  served(): ServedModel {
    return {
      alias: this.file.alias,
      fileName: this.file.fileName,
      sizeBytes: this.file.sizeBytes,
      createdAtMs: this.file.createdAtMs,
      contextLength: this.contextLength,
      slots: this.file.slots ?? this.#settings.slots,
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
    if (this.#situation.state === "failed" && (this.#situation.untilMs ?? 0) > this.#ports.clock.now()) {
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
    const snapshots = this.#ports.snapshots.make(this.#settings.snapshotBytes);
    const link = new WorkerLink(this.#ports.startWorker, clock, this.#settings.watchdogMs, {
      onDeath: (reason) => {
        if (snapshots !== null) this.#ports.snapshots.remove(snapshots.folder);
        this.#died(link, reason);
      },
    });
    this.#link = link;
    const stopTimer = clock.after(this.#settings.loadTimeoutMs, () => {
      link.kill(`did not load within ${this.#settings.loadTimeoutMs} ms`);
    });
    try {
      this.#loaded = await link.load({
        modelPath: this.file.path,
        contextLength: this.contextLength,
        slots: this.file.slots ?? this.#settings.slots,
        batchSize: this.#settings.batchSize,
        threads: this.#settings.threads ?? chooseThreads(this.file.sizeBytes, availableParallelism()),
        tokenGapMs: this.#settings.tokenGapMs,
        templateTimeLimitMs: this.#settings.templateTimeLimitMs,
        snapshots,
      });
      const loadMs = Math.round(clock.monotonicMs() - startedAtMs);
      log.info({ model: this.file.alias, workerPid: link.pid, gpu: this.#loaded.gpu, loadMs }, "model loaded");
      this.#become("ready", `loaded in ${loadMs} ms`, null);
      return link;
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.code !== "model_unavailable") throw thrown;
      log.error({ model: this.file.alias, cause: thrown.cause }, "model could not be loaded");
      this.#become("failed", "the engine could not load it (see the log)", clock.now() + failedLoadMs);
      link.shutdown(shutdownLimitMs);
      throw this.#unavailable();
    } finally {
      stopTimer();
    }
  }

  /** Waits out the delay after the last crash. Throws when it crashed too often. */
  async #backOff(): Promise<void> {
    const { clock } = this.#ports;
    const untilMs = this.#situation.state === "backing-off" ? this.#situation.untilMs : null;
    if (untilMs === null) return;
    const waitMs = untilMs - clock.now();
    if (waitMs > 0) await new Promise<void>((resolve) => clock.after(waitMs, resolve));
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
      this.#become("failed", `its process kept dying, last: ${reason}`, clock.now() + decision.retryAfterMs);
      return;
    }
    this.#become("backing-off", `its process ended: ${reason}`, clock.now() + decision.afterMs);
    // Somebody may be waiting in `ready` already; if not, it is brought back for the next request all the same.
    clock.after(decision.afterMs, () => {
      if (!this.#closed) void this.ready().catch(() => {});
    });
  }

  #become(state: ModelState, reason: string, untilMs: number | null): void {
    this.#situation = { state, sinceMs: this.#ports.clock.now(), reason, untilMs };
    void this.view().then((model) => this.#ports.publish({ type: "model", model }));
  }

  #unavailable(): Failure {
    const { reason, untilMs } = this.#situation;
    const waitS = untilMs === null ? 5 : (untilMs - this.#ports.clock.now()) / 1_000;
    return new Failure("model_unavailable", `"${this.file.alias}" cannot answer: ${reason}.`, {
      retryAfterSeconds: waitS,
    });
  }
}
