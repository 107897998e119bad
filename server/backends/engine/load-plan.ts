/**
 * What is chosen for a load that nobody asked otherwise: threads, context, and a plan by a rule of thumb. Runs in the server
 * process. `simplePlan` knows the file and the settings only; `domain/fit/load-plan.ts` knows the machine.
 */
import { availableParallelism } from "node:os";
import { sensibleContext, sensibleTokens, tinyBytes } from "../../domain/fit/fit.ts";
import type { LoadPlan } from "../../domain/fit/load-plan.ts";
import type { ModelFile } from "../../domain/ports.ts";

/**
 * Leaves a core to HTTP where there are more than two. A tiny model gets one thread: it is computed faster by one than by
 * several that wait for each other at every layer.
 */
export function chooseThreads(sizeBytes: number, cores: number = availableParallelism()): number {
  if (sizeBytes < tinyBytes) return 1;
  return cores <= 2 ? cores : cores - 1;
}

/** What was asked for, else a default that the model was trained for. */
export function chooseContext(asked: number | null, trained: number, sizeBytes: number): number {
  return asked ?? sensibleContext(trained, sizeBytes);
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
  return Math.min(trained, sensibleTokens, fitting);
}

export interface PlanSettings {
  /** Null: the model's own, at most the engine's default. */
  readonly context: number | null;
  readonly slots: number;
}

/** Buffers beside the weights, as a share of them. */
const buffersShare = 0.05;
/** KV of one token as a share of the weights: what the hungriest of the usual models keep in f16. */
const kvPerTokenShare = 1 / 36_000;

/** The context and slots that settings ask for, in the machine's memory, by a rule of thumb. */
export function simplePlan(settings: PlanSettings): (file: ModelFile) => LoadPlan {
  return (file) => {
    const { sizeBytes, pooled, trainedContextLength } = file;
    const contextLength = pooled?.inOnePiece
      ? chooseOnePieceContext(file.context, trainedContextLength, pooled.vocabularySize)
      : chooseContext(file.context ?? settings.context, trainedContextLength, sizeBytes);
    const slots = file.slots ?? settings.slots;
    const kvBytes = pooled?.inOnePiece ? 0 : sizeBytes * kvPerTokenShare * contextLength * slots;
    return {
      type: "load",
      contextLength,
      slots,
      gpuLayers: null,
      kv: "f16",
      placement: "cpu",
      footprint: { ramBytes: Math.ceil(sizeBytes * (1 + buffersShare) + kvBytes), vramBytes: 0 },
      reason: "as the settings ask for it",
    };
  };
}
