/**
 * Entry of a worker process: one model, one context. The only kind of process that loads node-llama-cpp.
 *
 * It speaks `protocol.ts` with its parent over Node's IPC channel and ends when that channel closes, so that no worker
 * outlives its server. It must not import anything of the server but the engine's own files and the domain.
 */
import { randomInt } from "node:crypto";
import { asFailure, Failure } from "../../../domain/failure.ts";
import type { FromWorker, ToWorker } from "../protocol.ts";
import type { Job } from "./job.ts";
import { loadNative, type NativeModel } from "./native.ts";
import { type PromptTokens, promptTokens } from "./prompt-tokens.ts";
import { replyFormatOf } from "../reply/format-of.ts";
import { markerTokens } from "./marker-tokens.ts";
import { Snapshots } from "./snapshots.ts";
import { StepLoop } from "./step-loop.ts";
import { chatTemplate, type RenderPrompt } from "./template.ts";
import { TextStream } from "./text-stream.ts";

interface Loaded {
  readonly model: NativeModel;
  readonly loop: StepLoop;
  readonly render: RenderPrompt;
  readonly tokens: PromptTokens;
  /** Prepared and not yet generated. */
  readonly prepared: Map<string, readonly number[]>;
}

let loaded: Loaded | null = null;

function send(message: FromWorker): void {
  // The channel closes when the parent dies; `disconnect` below then ends this process.
  if (process.connected) process.send?.(message);
}

async function load(options: Extract<ToWorker, { type: "load" }>): Promise<void> {
  try {
    const model = await loadNative({
      modelPath: options.modelPath,
      contextLength: options.contextLength,
      slots: options.slots,
      batchSize: options.batchSize,
      threads: options.threads,
    });
    loaded = {
      model,
      loop: new StepLoop(model, new Snapshots(model, options.snapshots), options.tokenGapMs, {
        monotonicMs: () => performance.now(),
        randomSeed: () => randomInt(0, 2 ** 32),
        emit: (events) => send({ type: "step", events }),
      }),
      render: chatTemplate({
        template: model.chatTemplate,
        bosText: model.bosText,
        eosText: model.eosText,
        timeLimitMs: options.templateTimeLimitMs,
      }),
      tokens: promptTokens(model),
      prepared: new Map(),
    };
    const { contextLength, slots, vocabularySize, gpu } = model;
    send({ type: "loaded", contextLength, slots, vocabularySize, gpu, replyFormat: replyFormatOf(model) });
  } catch (thrown) {
    send({ type: "load-failed", message: thrown instanceof Error ? thrown.message : String(thrown) });
  }
}

function prepare(state: Loaded, request: Extract<ToWorker, { type: "prepare" }>): void {
  try {
    const tokens = state.tokens(state.render(request.prompt));
    if (tokens.length === 0) throw new Failure("invalid_request", "The prompt is empty.", { param: "messages" });
    state.prepared.set(request.id, tokens);
    send({ type: "prepared", id: request.id, promptTokens: tokens.length });
  } catch (thrown) {
    const failure = asFailure(thrown);
    send({ type: "refused", id: request.id, code: failure.code, message: failure.message });
  }
}

function generate(state: Loaded, request: Extract<ToWorker, { type: "generate" }>): void {
  const prompt = state.prepared.get(request.id);
  state.prepared.delete(request.id);
  if (prompt === undefined) return;
  const job: Job = {
    id: request.id,
    caller: request.caller,
    prompt,
    options: request.options,
    text: new TextStream(
      state.model.detokenize,
      request.options.stop,
      markerTokens(state.model, request.options.markers ?? []),
    ),
    phase: "prefill",
    waitFor: null,
    cachedTokens: 0,
    nextToken: -1,
    completionTokens: 0,
    passedOver: 0,
    cancelled: false,
    slotTakenAtMs: performance.now(),
    firstTokenAtMs: null,
  };
  state.loop.submit(job);
}

function receive(message: ToWorker): void {
  switch (message.type) {
    case "ping":
      send({ type: "pong", id: message.id });
      return;
    case "load":
      void load(message);
      return;
    case "shutdown":
      // Nothing to save: ending the process is what frees the memory.
      process.exit(0);
      return;
    case "state":
      send({ type: "state", id: message.id, slots: loaded?.loop.view() ?? [], rssBytes: process.memoryUsage.rss() });
      return;
    default:
      break;
  }
  if (loaded === null) return;
  if (message.type === "prepare") prepare(loaded, message);
  else if (message.type === "generate") generate(loaded, message);
  else if (message.type === "drop") loaded.prepared.delete(message.id);
  else loaded.loop.cancel(message.id);
}

process.on("message", (message) => receive(message as ToWorker));
process.on("disconnect", () => process.exit(0));
// Ctrl-C on a terminal reaches the whole group; the parent decides when a worker ends.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
