/**
 * Where a model would lie on a machine: whole on the GPUs, split, on the CPU, nowhere. Pure. More of any memory never makes
 * the answer worse.
 */
import type { Corrections } from "./corrections.ts";
import type { Machine, MachineGpu } from "./machine.ts";
import { type LoadWishes, type Need, needOf } from "./need.ts";
import type { ModelShape } from "./shape.ts";
import type { FitBytes, FitPlacement, Footprint } from "./verdict.ts";

const mebibyte = 2 ** 20;

/** A worker's own memory beside what the model takes: the runtime, the library, samplers. Bytes. */
export const workerBytes = 160 * mebibyte;
/** Left free in the machine's memory, for everybody else. */
const ramMarginBytes = 512 * mebibyte;
/** Left free on a GPU: the driver's context and what kernels borrow while they run. */
const gpuMarginBytes = 512 * mebibyte;
const gpuMarginShare = 0.04;
/** A machine's steps on the CPU are smaller: larger ones need more memory and are no faster. Tokens. */
export const cpuBatchSize = 256;

export interface Place {
  readonly placement: FitPlacement;
  readonly gpuLayers: number;
  readonly bytes: FitBytes;
  readonly footprint: Footprint;
  /** Of the weights, the part that lies on GPUs. */
  readonly gpuWeights: number;
  /** The cap of `engine.memoryLimit` is what it does not fit under. */
  readonly cappedByLimit: boolean;
}

/** Layers as the engine counts them: the output is one more. */
export function layerCount(shape: ModelShape): number {
  return shape.layers.length + 1;
}

function gpuMargin(gpu: MachineGpu): number {
  return Math.max(gpuMarginBytes, gpu.totalBytes * gpuMarginShare);
}

/** Of all GPUs. */
export function gpuMarginOf(machine: Machine): number {
  return sumOf(machine.gpus.map(gpuMargin));
}

interface Sums {
  readonly weights: number;
  readonly kv: number;
}

/** The engine gives the GPU the last layers, and the output first of all. */
function onGpu(need: Need, gpuLayers: number): Sums & { readonly greatest: number } {
  const layers = gpuLayers > 1 ? need.layers.slice(-(gpuLayers - 1)) : [];
  const output = gpuLayers > 0 ? need.outputWeights : 0;
  let [weights, kv, greatest] = [output, 0, output];
  for (const layer of layers) {
    weights += layer.weights;
    kv += layer.kv;
    greatest = Math.max(greatest, layer.weights + layer.kv);
  }
  return { weights, kv, greatest };
}

function takesOf(need: Need, machine: Machine, gpuLayers: number): Omit<Place, "placement" | "cappedByLimit"> {
  const whole = gpuLayers > need.layers.length;
  const gpu = onGpu(need, gpuLayers);
  const allKv = need.layers.reduce((sum, layer) => sum + layer.kv, 0);
  const layersOnCpu = need.layers.slice(0, Math.max(0, need.layers.length - Math.max(0, gpuLayers - 1)));
  const ramWeights =
    gpuLayers === 0 ? need.cpuWeights : need.inputWeights + layersOnCpu.reduce((sum, layer) => sum + layer.weights, 0);
  // Weights that lie in the machine's memory are lent to the GPU for large steps, one tensor at a time.
  const lent = gpuLayers === 0 || whole ? 0 : Math.max(0, ...layersOnCpu.map((layer) => layer.weights)) / 2;
  const perGpu = whole ? need.step.layersOnly : need.step.layersOnly + lent;
  const output = need.step.whole - need.step.layersOnly;
  const gpuCompute = gpuLayers === 0 ? 0 : machine.gpus.length * perGpu + Math.max(0, output);
  const ramCompute =
    need.step.logits + (gpuLayers === 0 ? need.step.whole : whole ? need.step.feeding : need.step.layersOnly);
  const footprint = {
    ramBytes: Math.ceil(ramWeights + (allKv - gpu.kv) + ramCompute + workerBytes),
    vramBytes: Math.ceil(gpu.weights + gpu.kv + gpuCompute),
  };
  const margin = ramMarginBytes + workerBytes + (gpuLayers === 0 ? 0 : gpuMarginOf(machine));
  const bytes = {
    weights: Math.round(ramWeights + gpu.weights),
    kv: Math.round(allKv),
    compute: Math.round(gpuCompute + ramCompute),
    margin: Math.round(margin),
  };
  return {
    gpuLayers,
    gpuWeights: gpu.weights,
    footprint,
    bytes: { ...bytes, total: bytes.weights + bytes.kv + bytes.compute + bytes.margin },
  };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** Whether each GPU has room for its part. The engine shares layers out by the memory that is free, a whole layer at a time. */
function fitsGpus(need: Need, machine: Machine, gpuLayers: number, takes: { readonly footprint: Footprint }): boolean {
  const [only] = machine.gpus;
  if (only === undefined) return false;
  if (machine.gpus.length === 1) return takes.footprint.vramBytes + gpuMargin(only) <= only.freeBytes;
  const free = sumOf(machine.gpus.map((gpu) => gpu.freeBytes));
  const { weights, kv, greatest } = onGpu(need, gpuLayers);
  // With several GPUs inputs are kept four times, so that one can be filled while others compute.
  const pipeline = 3 * need.step.feeding;
  return machine.gpus.every((gpu) => {
    const share = free === 0 ? 0 : (weights + kv) * (gpu.freeBytes / free);
    return share + greatest + need.step.whole + pipeline + gpuMargin(gpu) <= gpu.freeBytes;
  });
}

function fits(
  need: Need,
  machine: Machine,
  gpuLayers: number,
): { readonly place: Omit<Place, "placement" | "cappedByLimit">; readonly memory: boolean; readonly limit: boolean } {
  const place = takesOf(need, machine, gpuLayers);
  const { ramBytes, vramBytes } = place.footprint;
  const shared = machine.unifiedMemory ? vramBytes : 0;
  const memory =
    ramBytes + shared + ramMarginBytes <= machine.memoryFreeBytes &&
    (gpuLayers === 0 || fitsGpus(need, machine, gpuLayers, place));
  return { place, memory, limit: machine.limitBytes === null || ramBytes + vramBytes <= machine.limitBytes };
}

/** The best place there is. `none` comes with the figures of the best that was tried. */
export function placeOf(shape: ModelShape, machine: Machine, wishes: LoadWishes, corrections: Corrections): Place {
  const most = layerCount(shape);
  const hasGpu = machine.gpus.length > 0;
  let tried: ReturnType<typeof fits> | null = null;
  if (hasGpu) {
    const need = needOf(shape, wishes, corrections);
    tried = fits(need, machine, most);
    if (tried.memory && tried.limit) return { ...tried.place, placement: "gpu", cappedByLimit: false };
    // One layer more on the GPU needs more there, so the first that fits from above is the most that fits.
    for (let gpuLayers = most - 1; gpuLayers > 1; gpuLayers -= 1) {
      const found = fits(need, machine, gpuLayers);
      if (found.memory && found.limit) return { ...found.place, placement: "split", cappedByLimit: !tried.limit };
    }
  }
  const onCpu = { ...wishes, batchSize: Math.min(wishes.batchSize, cpuBatchSize) };
  const found = fits(needOf(shape, onCpu, corrections), machine, 0);
  if (found.memory && found.limit) return { ...found.place, placement: "cpu", cappedByLimit: tried?.limit === false };
  const shown = tried ?? found;
  return { ...shown.place, placement: "none", cappedByLimit: shown.memory && !shown.limit };
}

/** All of it is where it computes best on this machine. */
export function isWhole(machine: Machine, placement: FitPlacement): boolean {
  return placement === (machine.gpus.length > 0 ? "gpu" : "cpu");
}
