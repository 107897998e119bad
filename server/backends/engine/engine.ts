/**
 * The engine as a backend: one host per model, requests told apart by alias. Runs in the server process and never loads
 * node-llama-cpp itself.
 */
import { Failure } from "../../domain/failure.ts";
import type { Capability, ModelView, QueueEntryView } from "../../domain/model.ts";
import type { ModelFile } from "../../domain/ports.ts";
import { wrongModel } from "../../domain/routing/capability.ts";
import type { Backend } from "../backend.ts";
import { answer, overflow } from "./answer.ts";
import { type EngineSettings, type HostPorts, ModelHost } from "./model-host.ts";
import { embeddings, scores } from "./pooled-answer.ts";
import { createPreparer, type StartPreparer } from "./preparation/preparer.ts";
import { promptInput } from "./prompt-input.ts";

export interface EngineOptions {
  readonly files: readonly ModelFile[];
  readonly settings: EngineSettings;
  readonly ports: Omit<HostPorts, "preparer"> & {
    readonly startPreparer: StartPreparer;
    readonly newToolCallId: () => string;
  };
}

/** What `/admin/state` shows of the engine, beside the backend contract. */
export interface Engine extends Backend {
  models(): Promise<readonly ModelView[]>;
  queue(): readonly QueueEntryView[];
  /** Begins to load a model nobody has asked for yet. Failures are logged and shown in its state. */
  preload(alias: string): void;
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
  const hosts = new Map(
    options.files.map((file) => [file.alias, new ModelHost(file, settings, { ...ports, preparer })]),
  );
  const running = new Set<AbortController>();
  let closing = false;
  let onIdle: (() => void) | null = null;

  const hostOf = (request: { readonly model: string }, capability: Capability): ModelHost => {
    if (closing) throw new Failure("shutting_down", "The box is shutting down.");
    const host = hosts.get(request.model);
    if (!host)
      throw new Failure("model_not_found", `No model "${request.model.slice(0, 200)}" here.`, { param: "model" });
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
      yield* counted(signal, (both) => answer(host, request, context, both, ports));
    },
    embed: async function* (request, context, signal) {
      const host = hostOf(request, "embeddings");
      yield* counted(signal, (both) => embeddings(host, request, context, both, ports));
    },
    rerank: async function* (request, context, signal) {
      const host = hostOf(request, "rerank");
      yield* counted(signal, (both) => scores(host, request, context, both, ports));
    },
    health: (alias) => hosts.get(alias)?.health() ?? { able: false, reason: "no such model" },
    models: () => Promise.all([...hosts.values()].map((host) => host.view())),
    queue: () => [...hosts.values()].flatMap((host) => host.line.view()),
    preload: (alias) => {
      void hosts
        .get(alias)
        ?.ready()
        .catch(() => {});
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
      await Promise.all([...hosts.values()].map((host) => host.close()));
      preparer.close();
    },
  };
}
