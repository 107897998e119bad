/**
 * How a model is loaded on a machine: what of the wishes can be kept, where its layers go, what it then takes. Pure. Slots are
 * given up before context, and context only where nobody asked for a length; what somebody asked for is kept or refused.
 */
import type { ModelFile } from "../ports.ts";
import { type Corrections, noCorrections } from "./corrections.ts";
import { decided, fitOf } from "./fit.ts";
import type { Machine } from "./machine.ts";
import { type LoadWishes, kvProblem } from "./need.ts";
import { isWhole, placeOf } from "./place.ts";
import type { ModelShape } from "./shape.ts";
import type { FitPlacement, FitVerdict, FitWishes, Footprint, KvType } from "./verdict.ts";
import { slotsText, tokensText } from "./words.ts";

export interface LoadPlan {
  readonly type: "load";
  /** Tokens per slot. */
  readonly contextLength: number;
  readonly slots: number;
  readonly kv: KvType;
  /** What to hand to the engine; null: it decides. */
  readonly gpuLayers: number | null;
  readonly placement: FitPlacement;
  readonly footprint: Footprint;
  /** What it comes to, and what of the wishes was given up: one or two plain sentences. */
  readonly reason: string;
}

export interface LoadRefusal {
  readonly type: "refuse";
  /** What it would take at least. */
  readonly footprint: Footprint;
  readonly reason: string;
  readonly alternatives: FitVerdict["alternatives"];
}

/** As the residency asks for it, with machine, wishes and corrections already known. */
export type PlanLoad = (file: ModelFile) => LoadPlan | LoadRefusal;

/** Where nobody asked for a length, it is cut down to this before layers go to the CPU. Tokens. */
const leastContext = 4_096;

export function loadPlan(
  shape: ModelShape,
  machine: Machine,
  wishes: FitWishes,
  corrections: Corrections = noCorrections,
): LoadPlan | LoadRefusal {
  const asked = decided(shape, wishes);
  const verdictOf = (one: LoadWishes): FitVerdict => fitOf(shape, machine, one, corrections);
  const holds = ({ wishes: one, whole }: Candidate): boolean => {
    const { placement } = placeOf(shape, machine, one, corrections);
    return whole ? isWhole(machine, placement) : placement !== "none";
  };
  const tried =
    kvProblem(shape, asked.kv) === null ? candidates(shape, machine, asked, wishes.contextLength === null) : [];
  const chosen = tried.find(holds);
  if (chosen === undefined) {
    const { footprint } = placeOf(shape, machine, { ...asked, slots: 1 }, corrections);
    const { reason, alternatives } = verdictOf(asked);
    return { type: "refuse", footprint, reason, alternatives };
  }
  const verdict = verdictOf(chosen.wishes);
  const given = givenUp(asked, verdict);
  return {
    type: "load",
    contextLength: verdict.contextLength,
    slots: verdict.slots,
    kv: asked.kv,
    gpuLayers: verdict.gpuLayers,
    placement: verdict.placement,
    footprint: verdict.footprint,
    reason: given === null ? verdict.reason : `${verdict.reason} Given up for that: ${given}.`,
  };
}

interface Candidate {
  readonly wishes: LoadWishes;
  /** Only where all of it is where it computes best. */
  readonly whole: boolean;
}

/** In the order in which they are tried. */
function candidates(shape: ModelShape, machine: Machine, asked: LoadWishes, mayShorten: boolean): readonly Candidate[] {
  const fewer = Array.from({ length: asked.slots }, (_, given) => ({ ...asked, slots: asked.slots - given }));
  const one = { ...asked, slots: 1 };
  const shorter: LoadWishes[] = [];
  const least = Math.min(leastContext, shape.trainedContextLength);
  for (let tokens = asked.contextLength / 2; mayShorten && tokens >= least; tokens /= 2) {
    shorter.push({ ...one, contextLength: Math.floor(tokens) });
  }
  const inOrder = [...fewer, ...shorter];
  const whole = inOrder.map((wishes) => ({ wishes, whole: true }));
  // Without a GPU whole is all there is.
  return machine.gpus.length === 0 ? whole : [...whole, ...inOrder.map((wishes) => ({ wishes, whole: false }))];
}

function givenUp(asked: LoadWishes, verdict: FitVerdict): string | null {
  const parts: string[] = [];
  if (verdict.slots < asked.slots) parts.push(`${slotsText(verdict.slots)} instead of ${tokensText(asked.slots)}`);
  if (verdict.contextLength < asked.contextLength) {
    parts.push(`${tokensText(verdict.contextLength)} tokens per request instead of ${tokensText(asked.contextLength)}`);
  }
  return parts.length === 0 ? null : parts.join(", ");
}

/**
 * The plan for a file. A model that makes vectors or scores has one context whatever its slots are, which take turns in it; where
 * a whole input is computed in one step, the step is as long as the context.
 */
export function planFor(
  file: Pick<ModelFile, "shape" | "pooled">,
  machine: Machine,
  wishes: FitWishes,
  corrections: Corrections = noCorrections,
): LoadPlan | LoadRefusal {
  if (file.pooled === null) return loadPlan(file.shape, machine, wishes, corrections);
  const { contextLength } = decided(file.shape, wishes);
  const batchSize = file.pooled.inOnePiece ? contextLength : wishes.batchSize;
  const plan = loadPlan(file.shape, machine, { contextLength, slots: 1, kv: "f16", batchSize }, corrections);
  return plan.type === "load" ? { ...plan, slots: wishes.slots } : plan;
}
