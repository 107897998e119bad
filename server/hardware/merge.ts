/**
 * One honest picture of a machine out of what its sources say. Pure: a recording in, a view out, the same for the machine here
 * and for one written down in a file.
 *
 * Order of trust, for each figure the first that has it:
 * - a card's figures: the vendor's own tool, the engine, systeminformation (which asks the vendor's tool where it can)
 * - a card's memory: the same, except that an engine which has clearly less of it (a slice of a card: MIG, vGPU) is believed
 * - memory, disk and threads: Node (it knows a container's limit), then systeminformation; free memory on macOS the other way
 *   round, because the system calls only untouched pages free
 * - the processor's name and cores: systeminformation, then Node
 */
import type { Figure, FigureSource, GpuView, HardwareView } from "../domain/hardware.ts";
import { type Card, firstOf, matchCards } from "./cards.ts";
import { decideEngine, type EngineDecision } from "./engine-build.ts";
import type { Complaint } from "./facts.ts";
import { vendorsOf } from "./machine.ts";
import type { Recording } from "./recording.ts";
import { readEngine } from "./sources/engine.ts";
import { readNode } from "./sources/node.ts";
import { readNvidiaSmi } from "./sources/nvidia-smi.ts";
import { readRocmSmi } from "./sources/rocm-smi.ts";
import { readControllers, readSystem } from "./sources/system.ts";

/** A card with what tells it from others, for whoever follows it over time. */
export interface PlacedGpu extends GpuView {
  readonly uuid: string | null;
  readonly busAddress: string | null;
  readonly listedBy: readonly FigureSource[];
}

export interface Picture {
  readonly view: HardwareView;
  readonly gpus: readonly PlacedGpu[];
  readonly decision: EngineDecision;
  /** What the tools found wrong. */
  readonly complaints: readonly Complaint[];
}

const toolFirst: readonly FigureSource[] = ["nvidia-smi", "rocm-smi", "engine", "systeminformation"];

/** Below this part of what the tool says, the engine has a slice of the card and not the card. */
const sliceBelow = 0.75;

export function pictureOf(recording: Recording): Picture {
  const nvidia = readNvidiaSmi(recording.nvidiaSmi);
  const rocm = readRocmSmi(recording.rocmSmi);
  const controllers = readControllers(recording.systeminformation, recording.platform);
  const cards = matchCards([nvidia.gpus, rocm.gpus, controllers, readEngine(recording.engine)]);
  const complaints = [...nvidia.complaints, ...rocm.complaints];
  const system = readSystem(recording.systeminformation, recording.modelsFolder);
  const node = readNode(recording.node);

  const counts = new Map<string, number>();
  const found = cards.map((card, index) => gpuOf(card, index, counts));
  const decision = decideEngine({
    platform: recording.platform,
    arch: recording.arch,
    packages: recording.enginePackages,
    gpus: found,
    engine: recording.engine,
    complaints,
  });
  const gpus = found.map((gpu, at) => ({ ...gpu, state: stateOf(gpu, cards[at] ?? [], decision, recording) }));
  const freeMemory =
    recording.platform === "darwin"
      ? (figure(system.memoryFreeBytes, "systeminformation") ?? figure(node.memoryFreeBytes, "node"))
      : (figure(node.memoryFreeBytes, "node") ?? figure(system.memoryFreeBytes, "systeminformation"));
  return {
    gpus,
    decision,
    complaints,
    view: {
      sampledAtMs: recording.recordedAtMs,
      platform: recording.platform,
      gpus: gpus.map(withoutPlace),
      cpu: {
        name: figure(system.cpuName, "systeminformation") ?? figure(node.cpuName, "node"),
        physicalCores: figure(system.physicalCores, "systeminformation"),
        threads: figure(node.threads, "node"),
      },
      memory: {
        totalBytes: figure(node.memoryTotalBytes, "node") ?? figure(system.memoryTotalBytes, "systeminformation"),
        freeBytes: freeMemory,
      },
      disk: {
        totalBytes: figure(node.diskTotalBytes, "node") ?? figure(system.diskTotalBytes, "systeminformation"),
        freeBytes: figure(node.diskFreeBytes, "node") ?? figure(system.diskFreeBytes, "systeminformation"),
      },
      engine: { gpu: decision.gpu, reason: decision.reason },
    },
  };
}

/** What is shown of it. */
export function withoutPlace(gpu: PlacedGpu): GpuView {
  const { uuid: _uuid, busAddress: _busAddress, listedBy: _listedBy, ...view } = gpu;
  return view;
}

function figure<Value>(value: Value | null, source: FigureSource): Figure<Value> {
  return value === null ? null : { value, source };
}

function gpuOf(card: Card, index: number, counts: Map<string, number>): PlacedGpu {
  const vendor = card[0]?.vendor ?? "other";
  const place = (counts.get(vendor) ?? 0) + 1;
  counts.set(vendor, place);
  const of = <Value>(read: (line: Card[number]) => Value | null) => firstOf(card, toolFirst, read);
  const uuid = of((line) => line.uuid)?.value ?? null;
  const busAddress = of((line) => line.busAddress)?.value ?? null;
  const total = of((line) => line.memoryTotalBytes);
  const slice = firstOf(card, ["engine"], (line) => line.memoryTotalBytes);
  const hasSlice = total !== null && slice !== null && slice.value < total.value * sliceBelow;
  const memoryTotalBytes = hasSlice ? slice : total;
  const free = hasSlice
    ? firstOf(card, ["engine"], (line) => line.memoryFreeBytes)
    : of((line) => line.memoryFreeBytes);
  return {
    id: uuid ?? busAddress ?? `${vendor}-${place}`,
    uuid,
    busAddress,
    listedBy: card.map((line) => line.source),
    index,
    vendor,
    name: of((line) => line.name)?.value ?? "GPU",
    state: "present",
    memoryTotalBytes,
    // More free than there is cannot be; then nobody knows.
    memoryFreeBytes: free !== null && memoryTotalBytes !== null && free.value > memoryTotalBytes.value ? null : free,
    unifiedMemory: card.some((line) => line.unifiedMemory),
    driver: of((line) => line.driver),
    computeCapability: of((line) => line.computeCapability),
    powerDrawWatts: of((line) => line.powerDrawWatts),
    powerLimitWatts: of((line) => line.powerLimitWatts),
    temperatureCelsius: of((line) => line.temperatureCelsius),
    utilisationPercent: of((line) => line.utilisationPercent),
    pcieGeneration: of((line) => line.pcieGeneration),
    pcieWidth: of((line) => line.pcieWidth),
  };
}

/** A card that the engine could use and does not list, while it does compute on another: hidden from it, or left aside by it. */
function stateOf(gpu: PlacedGpu, card: Card, decision: EngineDecision, { engine }: Recording): GpuView["state"] {
  const listed = card.some((line) => line.source === "engine");
  const answered = engine !== null && "gpu" in engine && engine.gpu !== null && engine.devices.length > 0;
  return answered && !listed && vendorsOf[decision.gpu].includes(gpu.vendor) ? "unused" : "present";
}
