/**
 * Reads what `rocm-smi … --json` printed. Pure; running it is `run/tools.ts`. Its keys are sentences that change a little from
 * version to version, so they are looked for by their words.
 */
import { z } from "zod";
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
import { printedBy, type ToolAnswer, trouble } from "../recording.ts";

export const rocmArguments: readonly string[] = Object.freeze([
  "--showproductname",
  "--showuniqueid",
  "--showbus",
  "--showmeminfo",
  "vram",
  "--showuse",
  "--showtemp",
  "--showpower",
  "--showmaxpower",
  "--showdriverversion",
  "--json",
]);

const printed = z.record(z.string(), z.record(z.string(), z.unknown()));
type Card = Readonly<Record<string, unknown>>;

export interface RocmReading {
  readonly gpus: readonly GpuFacts[];
  readonly complaints: readonly Complaint[];
}

export function readRocmSmi(answer: ToolAnswer | null): RocmReading {
  const sections = parse(printedBy(answer));
  const driver = plainText(find(sections.system ?? {}, /^driver version$/i));
  const gpus = Object.entries(sections)
    .filter(([section]) => /^card\d{1,3}$/.test(section))
    .sort(([a], [b]) => Number(a.slice(4)) - Number(b.slice(4)))
    .slice(0, mostGpus)
    .map(([, card]) => readCard(card, driver));
  const general = gpus.length > 0 ? null : trouble("rocm-smi", answer);
  return { gpus, complaints: general === null ? [] : [{ vendor: "amd", busAddress: null, ...general }] };
}

/** Warnings may stand before the JSON. */
function parse(text: string | null): Readonly<Record<string, Card>> {
  const begin = text?.indexOf("{") ?? -1;
  if (text === null || begin < 0) return {};
  try {
    const sections = printed.safeParse(JSON.parse(text.slice(begin)));
    return sections.success ? sections.data : {};
  } catch {
    return {};
  }
}

function readCard(card: Card, driver: string | null): GpuFacts {
  const totalBytes = numberOf(card, /^vram total memory \(b\)$/i, bounds.bytes);
  const usedBytes = numberOf(card, /^vram total used memory \(b\)$/i, bounds.bytes);
  const uniqueId = find(card, /^unique id$/i);
  return {
    ...bareGpu("rocm-smi", "amd", nameOf(card)),
    uuid: typeof uniqueId === "string" && /^0x[0-9a-f]{8,16}$/i.test(uniqueId) ? `amd-${uniqueId.slice(2)}` : null,
    busAddress: busAddressOf(find(card, /^pci bus$/i)),
    memoryTotalBytes: totalBytes,
    memoryFreeBytes: totalBytes === null || usedBytes === null ? null : Math.max(0, totalBytes - usedBytes),
    driver,
    powerDrawWatts: numberOf(card, /^(average|current socket) graphics package power ?\(w\)$/i, bounds.watts),
    powerLimitWatts: numberOf(card, /^max graphics package power ?\(w\)$/i, bounds.watts),
    temperatureCelsius:
      numberOf(card, /^temperature \(sensor edge\) \(c\)$/i, bounds.celsius) ??
      numberOf(card, /^temperature \(sensor junction\) \(c\)$/i, bounds.celsius),
    utilisationPercent: numberOf(card, /^gpu use \(%\)$/i, bounds.percent),
  };
}

/** Some versions give a device's number (`0x744c`) for one of these; a name that says "Radeon" is the better one. */
function nameOf(card: Card): string {
  const names = [/^card series$/i, /^card model$/i, /^device name$/i]
    .map((key) => plainText(find(card, key)))
    .filter((name) => name !== null && !/^0x[0-9a-f]+$/i.test(name));
  return names.find((name) => /radeon|instinct|firepro/i.test(name ?? "")) ?? names[0] ?? "AMD GPU";
}

function find(card: Card, key: RegExp): unknown {
  return Object.entries(card).find(([name]) => key.test(name))?.[1];
}

/** Versions differ in whether numbers are texts. */
function numberOf(card: Card, key: RegExp, limits: Parameters<typeof printedNumber>[1]): number | null {
  const value = find(card, key);
  return printedNumber(
    typeof value === "number" ? String(value) : typeof value === "string" ? value : undefined,
    limits,
  );
}
