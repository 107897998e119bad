/** Reads what `nvidia-smi --query-gpu=… --format=csv,noheader,nounits` printed. Pure; running it is `run/nvidia-smi.ts`. */
import {
  bareGpu,
  bounds,
  busAddressOf,
  type Complaint,
  type GpuFacts,
  mostGpus,
  plainText,
  printedNumber,
} from "../facts.ts";
import { type NvidiaAnswer, printedBy, trouble } from "../recording.ts";

/**
 * What is asked for, in this order. The name is last, because it is the only field that may hold a comma. The generation of
 * PCIe is the one that card and slot could have: the current one drops while the card idles.
 */
export const nvidiaFields: readonly string[] = Object.freeze([
  "uuid",
  "pci.bus_id",
  "memory.total",
  "memory.free",
  "driver_version",
  "compute_cap",
  "power.draw",
  "power.limit",
  "temperature.gpu",
  "utilization.gpu",
  "pcie.link.gen.max",
  "pcie.link.width.current",
  "pcie.link.width.max",
  "name",
]);

const mebibyte = 2 ** 20;

export interface NvidiaReading {
  readonly gpus: readonly GpuFacts[];
  readonly complaints: readonly Complaint[];
}

export function readNvidiaSmi(said: NvidiaAnswer | null): NvidiaReading {
  const text = printedBy(said?.answer ?? null);
  const gpus: GpuFacts[] = [];
  const complaints: Complaint[] = [];
  for (const line of (text ?? "").split(/\r?\n/)) {
    const gone = lostCard(line);
    if (gone !== null) complaints.push(gone);
    else if (gpus.length < mostGpus) {
      const row = readRow(said?.fields ?? [], line);
      if (row === null || gpus.some((gpu) => gpu.uuid !== null && gpu.uuid === row.gpu.uuid)) continue;
      if (row.lost) complaints.push(lost(row.gpu.busAddress));
      else gpus.push(row.gpu);
    }
  }
  // A tool that failed and still told of its cards, or of the one that is lost, has said what there is to say.
  const general = gpus.length > 0 || complaints.length > 0 ? null : trouble("nvidia-smi", said?.answer ?? null);
  if (general !== null) {
    const kind = isBlind(text ?? "") ? "blind" : general.kind;
    complaints.push({ vendor: "nvidia", busAddress: null, reason: general.reason, kind });
  }
  return { gpus, complaints };
}

/** A driver that does not know a field refuses the whole question and names it. */
export function refusedField(answer: NvidiaAnswer["answer"]): string | null {
  const text = printedBy(answer);
  return /Field "([\w.]{1,60})" is not a valid field to query/.exec(text ?? "")?.[1] ?? null;
}

/**
 * After the driver was updated under a running system, and in a container whose devices were taken from new processes, nvidia-smi
 * fails while whoever has the card open goes on computing.
 */
function isBlind(text: string): boolean {
  return /Failed to initialize NVML: (Driver\/library version mismatch|Unknown Error)/i.test(text);
}

function lost(busAddress: string | null): Complaint {
  return { vendor: "nvidia", kind: "lost", busAddress, reason: "nvidia-smi says that it is lost" };
}

/** `Unable to determine the device handle for GPU 0000:02:00.0: GPU is lost.  Reboot the system …`. */
function lostCard(line: string): Complaint | null {
  const told = /Unable to determine the device handle for GPU\s*([0-9a-f:.]*[0-9a-f])\s*:/i.exec(line);
  return told === null ? null : lost(busAddressOf(told[1]));
}

function readRow(fields: readonly string[], line: string): { readonly gpu: GpuFacts; readonly lost: boolean } | null {
  const columns = line.split(",").map((column) => column.trim());
  if (fields.length < 2 || columns.length < fields.length) return null;
  const last = columns.slice(fields.length - 1).join(", ");
  const value = (field: string): string | undefined => {
    const at = fields.indexOf(field);
    if (at < 0) return undefined;
    return at === fields.length - 1 ? last : columns[at];
  };
  const uuid = value("uuid");
  const known = uuid !== undefined && /^(GPU|MIG)-[0-9a-f-]{8,60}$/i.test(uuid) ? uuid : null;
  const busAddress = busAddressOf(value("pci.bus_id"));
  if (known === null && busAddress === null) return null;
  return {
    lost: /GPU is lost|Unknown Error/i.test(value("memory.total") ?? ""),
    gpu: {
      ...bareGpu("nvidia-smi", "nvidia", plainText(value("name")) ?? "NVIDIA GPU"),
      uuid: known,
      busAddress,
      memoryTotalBytes: printedNumber(value("memory.total"), bounds.bytes, mebibyte),
      memoryFreeBytes: printedNumber(value("memory.free"), bounds.bytes, mebibyte),
      driver: plainText(value("driver_version")),
      computeCapability: /^\d{1,2}\.\d{1,2}$/.exec(value("compute_cap") ?? "")?.[0] ?? null,
      powerDrawWatts: printedNumber(value("power.draw"), bounds.watts),
      powerLimitWatts: printedNumber(value("power.limit"), bounds.watts),
      temperatureCelsius: printedNumber(value("temperature.gpu"), bounds.celsius),
      utilisationPercent: printedNumber(value("utilization.gpu"), bounds.percent),
      pcieGeneration: printedNumber(value("pcie.link.gen.max"), bounds.pcieGeneration),
      pcieWidth:
        printedNumber(value("pcie.link.width.current"), bounds.pcieWidth) ??
        printedNumber(value("pcie.link.width.max"), bounds.pcieWidth),
    },
  };
}
