/**
 * Whether a model fits a machine, before it is downloaded or loaded: the verdict, its figures, and what could be done
 * instead. Pure: shape, machine and wishes in, verdict out.
 */
import { type Corrections, noCorrections } from "./corrections.ts";
import type { Machine } from "./machine.ts";
import { kvProblem, type LoadWishes, paddedContext } from "./need.ts";
import { isWhole, layerCount, type Place, placeOf } from "./place.ts";
import type { ModelShape } from "./shape.ts";
import { speedOf } from "./speed.ts";
import type { FitAlternative, FitPlacement, FitVerdict, FitWishes } from "./verdict.ts";
import { memoryText, slotsText, tokensText } from "./words.ts";

/** Tokens of a request when nobody says: what coding agents need at least. A tiny model costs nothing, and gets more. */
export const sensibleTokens = 8_192;
const tinySensibleTokens = 32_768;
export const tinyBytes = 32 * 2 ** 20;
/** Alternatives with less than this are not worth offering. */
const leastOfferedTokens = 2_048;

/** As many tokens as are sensible when nobody asked for a number. `bytes`: of the model. */
export function sensibleContext(trainedContextLength: number, bytes: number): number {
  return Math.min(trainedContextLength, bytes < tinyBytes ? tinySensibleTokens : sensibleTokens);
}

export function decided(shape: ModelShape, wishes: FitWishes): LoadWishes {
  return {
    ...wishes,
    contextLength: wishes.contextLength ?? sensibleContext(shape.trainedContextLength, shape.weightBytes),
  };
}

export function fitOf(
  shape: ModelShape,
  machine: Machine,
  wishes: FitWishes,
  corrections: Corrections = noCorrections,
): FitVerdict {
  const asked = decided(shape, wishes);
  const problem = kvProblem(shape, asked.kv);
  const place = placeOf(shape, machine, asked, corrections);
  const placement = problem === null ? place.placement : "none";
  const longestContext = problem === null ? longest(shape, machine, asked, corrections, placement) : 0;
  return {
    placement,
    gpuLayers: placement === "none" ? 0 : place.gpuLayers,
    totalLayers: layerCount(shape),
    contextLength: asked.contextLength,
    slots: asked.slots,
    bytes: place.bytes,
    footprint: place.footprint,
    longestContext,
    speed: placement === "none" ? null : speedOf(shape, machine, place.gpuWeights),
    reason: problem === null ? reasonOf(shape, machine, place) : `It cannot be loaded so: ${problem}.`,
    alternatives: isWhole(machine, placement) ? [] : alternativesOf(shape, machine, asked, corrections),
  };
}

/** The greatest padded context for which `holds`; 0: none. `holds` is true up to some length and false from there on. */
function greatestContext(most: number, holds: (tokens: number) => boolean): number {
  let [low, high] = [0, Math.ceil(most / paddedContext(1))];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle * paddedContext(1))) low = middle;
    else high = middle - 1;
  }
  return Math.min(most, low * paddedContext(1));
}

/** As long as the placement stays; where it fits nowhere, as long as it fits anywhere. */
function longest(
  shape: ModelShape,
  machine: Machine,
  wishes: LoadWishes,
  corrections: Corrections,
  placement: FitPlacement,
): number {
  const most = Math.max(shape.trainedContextLength, wishes.contextLength);
  const least = placement === "none" ? 1 : ranks[placement];
  return greatestContext(
    most,
    (contextLength) => ranks[placeOf(shape, machine, { ...wishes, contextLength }, corrections).placement] >= least,
  );
}

const ranks: Readonly<Record<FitPlacement, number>> = Object.freeze({ none: 0, cpu: 1, split: 2, gpu: 3 });

/** Everything but what was asked, in the order in which it hurts: slots, then exactness of KV, then context. */
function alternativesOf(
  shape: ModelShape,
  machine: Machine,
  asked: LoadWishes,
  corrections: Corrections,
): readonly FitAlternative[] {
  const holds = (wishes: LoadWishes): boolean =>
    kvProblem(shape, wishes.kv) === null && isWhole(machine, placeOf(shape, machine, wishes, corrections).placement);
  const found: FitAlternative[] = [];
  const offer = (wishes: LoadWishes): boolean => {
    if (!holds(wishes)) return false;
    found.push({ text: differenceText(asked, wishes), wishes });
    return true;
  };
  const shorter = (wishes: LoadWishes): boolean => {
    const tokens = greatestContext(wishes.contextLength - 1, (contextLength) => holds({ ...wishes, contextLength }));
    return (
      tokens >= Math.min(leastOfferedTokens, shape.trainedContextLength) && offer({ ...wishes, contextLength: tokens })
    );
  };
  const plainKv = kvProblem(shape, asked.kv) === null ? asked : { ...asked, kv: "f16" as const };
  if (plainKv !== asked) offer(plainKv);
  for (let slots = plainKv.slots - 1; slots >= 1; slots -= 1) {
    if (offer({ ...plainKv, slots })) break;
  }
  const smallKv = { ...plainKv, kv: "q8_0" as const };
  const canShrinkKv = plainKv.kv === "f16" && kvProblem(shape, "q8_0") === null;
  if (canShrinkKv) offer(smallKv);
  shorter(plainKv);
  // Nothing alone is enough: together.
  if (found.length === 0) {
    const one = { ...plainKv, slots: 1 };
    if (!(canShrinkKv && offer({ ...smallKv, slots: 1 }))) shorter(one);
    if (found.length === 0 && canShrinkKv) shorter({ ...smallKv, slots: 1 });
  }
  return found;
}

function differenceText(asked: LoadWishes, other: LoadWishes): string {
  const parts: string[] = [];
  if (other.slots !== asked.slots) parts.push(slotsText(other.slots));
  if (other.kv !== asked.kv) parts.push(`${other.kv} KV`);
  if (other.contextLength !== asked.contextLength) parts.push(`${tokensText(other.contextLength)} tokens per request`);
  return `with ${parts.join(" and ")}`;
}

function reasonOf(shape: ModelShape, machine: Machine, place: Place): string {
  const { ramBytes, vramBytes } = place.footprint;
  const gpuFree = machine.gpus.reduce((sum, gpu) => sum + gpu.freeBytes, 0);
  const [gpu] = machine.gpus;
  const gpuName =
    machine.gpus.length > 1 ? `the ${machine.gpus.length} GPUs` : gpu === undefined ? "the GPU" : `the ${gpu.name}`;
  const windows = shape.layers.some((layer) => layer.windowTokens !== null)
    ? " Its sliding windows save no memory here: all of them is kept, so that prompts can be reused."
    : "";
  return `${sentence()}${windows}`;

  function sentence(): string {
    const limit = machine.limitBytes === null ? "" : memoryText(machine.limitBytes);
    const both = memoryText(ramBytes + vramBytes);
    switch (place.placement) {
      case "gpu":
        return `It fits on ${gpuName}: ${memoryText(vramBytes)} of ${memoryText(gpuFree)} free there.`;
      case "split": {
        const layers = `${place.gpuLayers} of ${layerCount(shape)} layers fit on ${gpuName}`;
        const why = place.cappedByLimit ? `engine.memoryLimit is ${limit}` : `${memoryText(gpuFree)} are free there`;
        return `It does not fit on the GPU as a whole: ${layers} (${why}); the others would be computed on the CPU, slowly.`;
      }
      case "cpu":
        return machine.gpus.length === 0
          ? `It fits into memory and is computed on the CPU: ${memoryText(ramBytes)} of ${memoryText(machine.memoryFreeBytes)} free.`
          : `Nothing of it fits on ${gpuName} (${memoryText(gpuFree)} free); it would be computed on the CPU: ${memoryText(ramBytes)} of ${memoryText(machine.memoryFreeBytes)} free.`;
      case "none":
        if (place.cappedByLimit) return `It does not fit: it takes ${both}, and engine.memoryLimit is ${limit}.`;
        return machine.gpus.length === 0
          ? `It does not fit: it takes ${memoryText(ramBytes)} of memory, and ${memoryText(machine.memoryFreeBytes)} are free.`
          : `It does not fit: whole on ${gpuName} it takes ${memoryText(vramBytes)} there and ${memoryText(gpuFree)} are free; with the machine's own ${memoryText(machine.memoryFreeBytes)} it does not fit either.`;
    }
  }
}
