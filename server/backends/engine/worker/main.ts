/**
 * Entry of a worker process: one model, one context. The only kind of process that loads node-llama-cpp.
 *
 * It speaks `protocol.ts` with its parent over Node's IPC channel and ends when that channel closes, so that no worker
 * outlives its server. It must not import anything of the server but the engine's own files and the domain.
 */
import { randomInt } from "node:crypto";
import { unpackTokens } from "../preparation/protocol.ts";
import { savingOrder } from "../kv-store/decisions.ts";
import type { KvPlace } from "../kv-store/place.ts";
import { stateShape } from "../kv-store/shape.ts";
import { Tier } from "../kv-store/tier.ts";
import type { FromWorker, ToWorker } from "../protocol.ts";
import { Embedding } from "./embedding.ts";
import type { Job } from "./job.ts";
import { LogprobStream } from "./logprob-stream.ts";
import { loadNative, type NativeModel } from "./native.ts";
import { markerTokens } from "./marker-tokens.ts";
import { Snapshots, type SnapshotTiers } from "./snapshots.ts";
import { StepLoop } from "./step-loop.ts";
import { TextStream } from "./text-stream.ts";

interface Loaded {
  readonly model: NativeModel;
  readonly snapshots: Snapshots;
  readonly loop: StepLoop;
}

/** What the engine keeps keys and values in when nobody says otherwise. */
const cacheType = "f16";

let loaded: Loaded | null = null;
/** Instead, when the model is no chat model. */
let embedding: Embedding | null = null;

function send(message: FromWorker): void {
  // The channel closes when the parent dies; `disconnect` below then ends this process.
  if (process.connected) process.send?.(message);
}

async function load(options: Extract<ToWorker, { type: "load" }>): Promise<void> {
  try {
    if (options.pooled !== null) {
      embedding = await Embedding.load(options, options.pooled, send);
      return;
    }
    const model = await loadNative({
      modelPath: options.modelPath,
      contextLength: options.contextLength,
      slots: options.slots,
      batchSize: options.batchSize,
      threads: options.threads,
      gpuLayers: options.gpuLayers,
      kvType: options.kvType,
    });
    const snapshots = new Snapshots(model, tiersOf(options.kvStore, model), {
      monotonicMs: () => performance.now(),
      say: (line) => process.stderr.write(`${line}\n`),
    });
    loaded = {
      model,
      snapshots,
      loop: new StepLoop(model, snapshots, options.tokenGapMs, {
        monotonicMs: () => performance.now(),
        randomSeed: () => randomInt(0, 2 ** 32),
        emit: (events) => send({ type: "step", events }),
      }),
    };
    const { contextLength, slots, vocabularySize, gpu, memory } = model;
    send({ type: "loaded", contextLength, slots, vocabularySize, gpu, memory });
  } catch (thrown) {
    send({ type: "load-failed", message: thrown instanceof Error ? thrown.message : String(thrown) });
  }
}

function tiersOf(place: KvPlace | null, model: NativeModel): SnapshotTiers {
  if (place === null) return { memory: null, disk: null };
  const shape = stateShape({
    ...place,
    contextLength: model.contextLength,
    slots: model.slots,
    gpu: model.gpu,
    cacheType,
  });
  return {
    memory: place.memory && new Tier("memory", place.memory, place.model, shape),
    disk: place.disk && new Tier("disk", place.disk, place.model, shape),
  };
}

/** Saves what a later worker may go on with, then ends the process, which is what frees the memory. */
async function shutDown(withinMs: number): Promise<void> {
  const untilMs = performance.now() + withinMs;
  setTimeout(() => process.exit(0), withinMs);
  if (loaded !== null) {
    const slots = await loaded.loop.close();
    await loaded.snapshots.saveAll(savingOrder(slots), untilMs);
  }
  process.exit(0);
}

function generate(state: Loaded, request: Extract<ToWorker, { type: "generate" }>): void {
  const { id, caller, callerId, session, side, group, options } = request;
  const job: Job = {
    id,
    caller,
    callerId,
    session,
    side,
    group,
    prompt: unpackTokens(request.tokens),
    options,
    text: new TextStream(state.model.detokenize, options.stop, markerTokens(state.model, options.markers)),
    logprobs: options.logprobs === null ? null : new LogprobStream(),
    phase: "prefill",
    waitFor: null,
    cachedTokens: 0,
    prefilledTokens: 0,
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
      void shutDown(message.withinMs);
      return;
    case "state":
      send({
        type: "state",
        id: message.id,
        slots: embedding?.view() ?? loaded?.loop.view() ?? [],
        rssBytes: process.memoryUsage.rss(),
      });
      return;
    default:
      break;
  }
  embedding?.receive(message);
  if (loaded === null) return;
  if (message.type === "generate") generate(loaded, message);
  else if (message.type === "waiting") loaded.loop.setWaiting(message.callers);
  else if (message.type === "cancel") loaded.loop.cancel(message.id);
  else if (message.type === "forget") loaded.snapshots.forget(message.group);
}

process.on("message", (message) => receive(message as ToWorker));
process.on("disconnect", () => process.exit(0));
// Ctrl-C on a terminal reaches the whole group; the parent decides when a worker ends.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
