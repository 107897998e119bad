/**
 * The engine as a backend: one host per model, requests told apart by alias. Runs in the server process and never loads
 * node-llama-cpp itself.
 */
import { Failure } from "../../domain/failure.ts";
import type { Capability, ModelView, QueueEntryView } from "../../domain/model.ts";
import type { ModelFile } from "../../domain/ports.ts";
import { wrongModel } from "../../domain/routing/capability.ts";
import type { Capacity } from "../../domain/residency/memory.ts";
import type { Backend } from "../backend.ts";
import { answer, overflow } from "./answer.ts";
import { type EngineSettings, type HostPorts, ModelHost } from "./model-host.ts";
import { embeddings, scores } from "./pooled-answer.ts";
import { createPreparer, type StartPreparer } from "./preparation/preparer.ts";
import { promptInput } from "./prompt-input.ts";
import { Residency } from "./residency.ts";

export interface EngineOptions {
  readonly files: readonly ModelFile[];
  readonly settings: EngineSettings;
  /** Most bytes that all loaded models may take. */
  readonly capacity: Capacity;
  readonly ports: Omit<HostPorts, "preparer"> & {
    readonly startPreparer: StartPreparer;
    readonly newToolCallId: () => string;
  };
}

/** What `/admin/state` shows of the engine, beside the backend contract. */
export interface Engine extends Backend {
  models(): Promise<readonly ModelView[]>;
  queue(): readonly QueueEntryView[];
  /** Begins to load a model nobody has asked for yet, if there is room as things are. Failures are shown in its state. */
  preload(alias: string): void;
  /** Resolves when it is loaded; waits for room as a request does, and throws what a request would be told. */
  load(alias: string, signal: AbortSignal): Promise<void>;
  /** Tells it to leave memory, when its users are done. Throws `model_busy` when it has some and `whenDone` is false. */
  unload(alias: string, whenDone: boolean): void;
  /** A pinned model is neither pushed out nor unloaded by time. */
  pin(alias: string, pinned: boolean): void;
  /** One model as it is now. Throws `model_not_found`. */
  model(alias: string): Promise<ModelView>;
  /** What models may take, when more is known of the machine. What is loaded stays. */
  setCapacity(capacity: Capacity): void;
  /** Epoch milliseconds at which the next model leaves memory for want of use; null: none does. */
  nextUnloadMs(): number | null;
  /** The files there are now: new ones can be asked for, running answers of those that are gone end as they would. */
  setFiles(files: readonly ModelFile[]): void;
  /** The key of a sharing group has ended: workers keep nothing of it. */
  forget(group: string): void;
}

export function createEngine(options: EngineOptions): Engine {
  const { ports, settings } = options;
  const preparer = createPreparer({
    start: ports.startPreparer,
    clock: ports.clock,
    log: ports.log,
    silenceLimitMs: settings.watchdogMs,
    startLimitMs: settings.loadTimeoutMs,
    templateTimeLimitMs: settings.templateTimeLimitMs,
  });
  const { clock, log } = ports;
  const residency = new Residency({
    capacity: options.capacity,
    minimumStayMs: settings.minimumStayMs,
    clock,
    log,
  });
  const hosts = new Map<string, ModelHost>();
  /** Their files are gone; they still end. */
  const retired = new Set<ModelHost>();
  const add = (file: ModelFile) => {
    const host: ModelHost = new ModelHost(
      file,
      settings,
      { ...ports, preparer },
      {
        lost: (failure) => residency.lost(host, failure),
        about: () => residency.about(host),
      },
    );
    hosts.set(file.alias, host);
    const { keepAliveMs = settings.keepAliveMs, pin = false } = file;
    residency.add(host, { keepAliveMs, pinned: pin });
  };
  const retire = (host: ModelHost) => {
    hosts.delete(host.file.alias);
    retired.add(host);
    void residency.retire(host).then(() => retired.delete(host));
  };
  for (const file of options.files) add(file);
  const running = new Set<AbortController>();
  let closing = false;
  let onIdle: (() => void) | null = null;

  const hostNamed = (alias: string): ModelHost => {
    if (closing) throw new Failure("shutting_down", "The box is shutting down.");
    const host = hosts.get(alias);
    if (!host) throw new Failure("model_not_found", `No model "${alias.slice(0, 200)}" here.`, { param: "model" });
    return host;
  };
  const hostOf = (request: { readonly model: string }, capability: Capability): ModelHost => {
    const host = hostNamed(request.model);
    if (!host.served().capabilities.includes(capability)) throw wrongModel(host.file.alias, capability);
    return host;
  };

  /** Runs one answer so that closing waits for it and then ends it. */
  async function* counted<Event>(
    signal: AbortSignal,
    answering: (signal: AbortSignal) => AsyncIterable<Event>,
  ): AsyncIterable<Event> {
    const own = new AbortController();
    running.add(own);
    try {
      yield* answering(AbortSignal.any([signal, own.signal]));
    } finally {
      running.delete(own);
      if (running.size === 0) onIdle?.();
    }
  }

  return {
    id: "engine",
    kind: "engine",
    served: () => [...hosts.values()].map((host) => host.served()),
    count: async (request) => {
      const host = hostOf(request, "chat");
      const prepared = await host.prepare(promptInput(host.cleaned(request).request));
      if ("tooLong" in prepared) throw overflow(host, request, prepared.tooLong);
      return prepared.prompts.reduce((sum, { tokens }) => sum + tokens.length, 0);
    },
    chat: async function* (request, context, signal) {
      const host = hostOf(request, "chat");
      yield* counted(signal, (both) => answer(host, request, context, both, { ...ports, residency }));
    },
    embed: async function* (request, context, signal) {
      const host = hostOf(request, "embeddings");
      yield* counted(signal, (both) => embeddings(host, request, context, both, { ...ports, residency }));
    },
    rerank: async function* (request, context, signal) {
      const host = hostOf(request, "rerank");
      yield* counted(signal, (both) => scores(host, request, context, both, { ...ports, residency }));
    },
    health: (alias) => hosts.get(alias)?.health() ?? { able: false, reason: "no such model" },
    models: () => Promise.all([...hosts.values()].map((host) => host.view())),
    queue: () => [...hosts.values()].flatMap((host) => host.line.view()),
    preload: (alias) => {
      const host = hosts.get(alias);
      if (host) residency.preload(host);
    },
    load: async (alias, signal) => {
      const stay = await residency.stay(hostNamed(alias), signal);
      stay.end();
    },
    unload: (alias, whenDone) => {
      const host = hostNamed(alias);
      const { using, waiting } = residency.usage(host);
      if (using + waiting > 0 && !whenDone) throw busy(alias, using, waiting);
      residency.unload(host);
    },
    pin: (alias, pinned) => residency.pin(hostNamed(alias), pinned),
    model: async (alias) => hostNamed(alias).view(),
    setCapacity: (capacity) => residency.setCapacity(capacity),
    nextUnloadMs: () => residency.nextUnloadMs(),
    setFiles: (files) => {
      if (closing) return;
      const wanted = new Map(files.map((file) => [file.alias, file]));
      for (const host of [...hosts.values()]) {
        // Another file under the same name is another model: the old one ends as if it were gone.
        if (!isSame(host.file, wanted.get(host.file.alias))) retire(host);
      }
      for (const file of files) if (!hosts.has(file.alias)) add(file);
    },
    forget: (group) => {
      for (const host of hosts.values()) host.forget(group);
    },
    close: async (graceMs) => {
      closing = true;
      if (running.size > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
          ports.clock.after(graceMs, resolve);
        });
      }
      for (const one of running) one.abort(new Failure("shutting_down", "The box is shutting down."));
      residency.close();
      await Promise.all([...hosts.values(), ...retired].map((host) => host.close()));
      preparer.close();
    },
  };
}

function busy(alias: string, using: number, waiting: number): Failure {
  const parts = [
    ...(using === 0 ? [] : [`${using} ${using === 1 ? "request uses" : "requests use"} it`]),
    ...(waiting === 0 ? [] : [`${waiting} ${waiting === 1 ? "waits" : "wait"} for it`]),
  ];
  return new Failure("model_busy", `"${alias}" is in use: ${parts.join(", ")}.`);
}

/** Files are plain data. */
function isSame(file: ModelFile, other: ModelFile | undefined): boolean {
  return JSON.stringify(file) === JSON.stringify(other);
}
