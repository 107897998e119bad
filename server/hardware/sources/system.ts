/** Reads what systeminformation answered. Pure; asking it is `run/ask-system.ts`. */
import { bareGpu, bounds, busAddressOf, type GpuFacts, mostGpus, numberWithin, plainText, vendorOf } from "../facts.ts";
import type { SystemAnswer } from "../recording.ts";

const mebibyte = 2 ** 20;

/**
 * Screens of servers and virtual machines are no GPUs, so a card of a vendor that we do not know is left out. On Linux its
 * `vram` is the window through which the processor sees the card's memory (often 256 MiB of 24 GiB), so only what it took from
 * the driver counts there; on Windows a 32-bit field that is full says "4 GiB or more".
 */
export function readControllers(answer: SystemAnswer | null, platform: string): readonly GpuFacts[] {
  return (answer?.controllers ?? [])
    .slice(0, mostGpus)
    .map((controller) => {
      const field = (name: string): unknown => controller[name];
      const vendorName = plainText(field("vendor"));
      const model = plainText(field("model"));
      const name = plainText(field("name")) ?? model ?? vendorName ?? "GPU";
      const vendor = vendorOf(vendorName, model, name);
      const window = platform === "linux" ? null : inMebibytes(field("vram"));
      return {
        ...bareGpu("systeminformation", vendor, name),
        busAddress: busAddressOf(field("pciBus")) ?? busAddressOf(field("busAddress")),
        memoryTotalBytes: inMebibytes(field("memoryTotal")) ?? (isFullField(window) ? null : window),
        memoryFreeBytes: inMebibytes(field("memoryFree")),
        unifiedMemory: vendor === "apple" || isIntegrated(vendor, name),
        driver: plainText(field("driverVersion")),
        powerDrawWatts: numberWithin(field("powerDraw"), bounds.watts),
        powerLimitWatts: numberWithin(field("powerLimit"), bounds.watts),
        temperatureCelsius: numberWithin(field("temperatureGpu"), bounds.celsius),
        utilisationPercent: numberWithin(field("utilizationGpu"), bounds.percent),
      };
    })
    .filter(({ vendor }) => vendor !== "other");
}

/** Windows keeps a card's memory in 32 bits where no driver says more. */
function isFullField(bytes: number | null): boolean {
  return bytes !== null && bytes >= 4095 * mebibyte && bytes <= 4096 * mebibyte;
}

/** 0 is what it says where it does not know. */
function inMebibytes(value: unknown): number | null {
  const mebibytes = numberWithin(value, { least: 1, most: bounds.bytes.most / mebibyte, whole: false });
  return mebibytes === null ? null : Math.round(mebibytes * mebibyte);
}

/** Graphics in the processor, by the names they are sold under. */
export function isIntegrated(vendor: string, name: string): boolean {
  if (vendor === "intel") return /\b(u?hd graphics|iris)\b/i.test(name);
  return vendor === "amd" && /\bradeon\b.*\bgraphics\b/i.test(name) && !/\b(rx|pro)\b/i.test(name);
}

export interface SystemFacts {
  readonly cpuName: string | null;
  readonly physicalCores: number | null;
  readonly memoryTotalBytes: number | null;
  readonly memoryFreeBytes: number | null;
  readonly diskTotalBytes: number | null;
  readonly diskFreeBytes: number | null;
}

export function readSystem(answer: SystemAnswer | null, modelsFolder: string): SystemFacts {
  const disk = fileSystemOf(answer, modelsFolder);
  const maker = plainText(answer?.cpu?.manufacturer);
  const brand = plainText(answer?.cpu?.brand);
  return {
    cpuName: brand === null ? null : maker === null || brand.startsWith(maker) ? brand : `${maker} ${brand}`,
    physicalCores: numberWithin(answer?.cpu?.physicalCores, bounds.cores),
    memoryTotalBytes: positive(numberWithin(answer?.mem?.total, bounds.bytes)),
    memoryFreeBytes: numberWithin(answer?.mem?.available, bounds.bytes),
    diskTotalBytes: positive(numberWithin(disk?.size, bounds.bytes)),
    diskFreeBytes: numberWithin(disk?.available, bounds.bytes),
  };
}

function positive(value: number | null): number | null {
  return value === 0 ? null : value;
}

/** The file system with the longest mount point that holds the folder. */
function fileSystemOf(answer: SystemAnswer | null, folder: string): Readonly<Record<string, unknown>> | undefined {
  const holds = (mount: unknown): mount is string =>
    typeof mount === "string" && mount !== "" && `${folder}/`.startsWith(mount.endsWith("/") ? mount : `${mount}/`);
  return (answer?.fileSystems ?? [])
    .filter(({ mount }) => holds(mount))
    .sort((a, b) => String(b.mount).length - String(a.mount).length)[0];
}
