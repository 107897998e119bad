/**
 * How a model is loaded on this machine: the settings' wishes, judged by `domain/fit`, with what real loads taught; and the
 * lesson of each load. Runs in the server process. Before the machine was looked at, a rule of thumb plans and the engine
 * itself places the layers, so that no GPU is left out for want of a look.
 */
import type { Corrections, EngineBytes } from "../../domain/fit/corrections.ts";
import { fitOf } from "../../domain/fit/fit.ts";
import { type LoadPlan, type PlanLoad, planFor } from "../../domain/fit/load-plan.ts";
import type { Machine } from "../../domain/fit/machine.ts";
import type { Log, ModelFile } from "../../domain/ports.ts";
import { capacityOf } from "../../domain/residency/memory.ts";
import { chooseOnePieceContext, type PlanSettings, simplePlan } from "./load-plan.ts";

/** What loads taught, by architecture. */
export interface Lessons {
  correctionsFor(architecture: string): Corrections;
  /** `estimated` without corrections. May throw what the file system throws. */
  note(architecture: string, estimated: EngineBytes, measured: EngineBytes): void;
}

export interface MachinePlanOptions {
  readonly settings: PlanSettings & { readonly batchSize: number };
  /** Null: not looked at yet. */
  machine(): Machine | null;
  readonly lessons: Lessons;
  readonly log: Log;
}

export interface MachinePlan {
  readonly plan: PlanLoad;
  /** After each load, with what the engine says it took. */
  learn(file: ModelFile, plan: LoadPlan, measured: EngineBytes): void;
}

/** Buffers of a smaller model are mostly what every model has: they teach nothing about a real one. Bytes. */
const leastTeachingBytes = 100 * 2 ** 20;

export function machinePlan({ settings, machine, lessons, log }: MachinePlanOptions): MachinePlan {
  const rough = simplePlan(settings);
  return {
    plan: (file) => {
      const here = machine();
      if (here === null) return rough(file);
      const wishes = {
        contextLength: contextWish(file, settings.context),
        slots: file.slots ?? settings.slots,
        kv: "f16" as const,
        batchSize: settings.batchSize,
      };
      // Never more than what the residency lets all models take together.
      const memoryFreeBytes = Math.min(here.memoryFreeBytes, capacityOf(here).ramBytes);
      return planFor(file, { ...here, memoryFreeBytes }, wishes, lessons.correctionsFor(file.architecture));
    },
    learn: (file, plan, measured) => {
      const here = machine();
      if (here === null || plan.gpuLayers === null || file.pooled !== null) return;
      if (file.shape.weightBytes < leastTeachingBytes) return;
      const { contextLength, slots, kv } = plan;
      const { bytes } = fitOf(file.shape, here, { contextLength, slots, kv, batchSize: settings.batchSize });
      try {
        lessons.note(file.architecture, bytes, measured);
      } catch (err) {
        log.warn({ err }, "what this load taught could not be written down");
      }
    },
  };
}

/** Null: nobody asked for a length. */
function contextWish(file: ModelFile, setting: number | null): number | null {
  const { pooled } = file;
  if (!pooled?.inOnePiece) return file.context ?? setting;
  return chooseOnePieceContext(file.context, file.trainedContextLength, pooled.vocabularySize);
}
