/**
 * What one source says about the machine, before sources are put together. Pure; imports the domain only. A figure that a
 * source does not report, or reports as something that cannot be, is null.
 */
import type { FigureSource, GpuVendor } from "../domain/hardware.ts";

/** One card as one source lists it. */
export interface GpuFacts {
  readonly source: FigureSource;
  readonly vendor: GpuVendor;
  readonly name: string;
  /** The vendor's own id of this very card. */
  readonly uuid: string | null;
  /** `0000:01:00.0`, lower case. */
  readonly busAddress: string | null;
  readonly memoryTotalBytes: number | null;
  readonly memoryFreeBytes: number | null;
  readonly unifiedMemory: boolean;
  readonly driver: string | null;
  readonly computeCapability: string | null;
  readonly powerDrawWatts: number | null;
  readonly powerLimitWatts: number | null;
  readonly temperatureCelsius: number | null;
  readonly utilisationPercent: number | null;
  readonly pcieGeneration: number | null;
  readonly pcieWidth: number | null;
}

/** A card of which nothing but its name is known; sources fill in what they have. */
export function bareGpu(source: FigureSource, vendor: GpuVendor, name: string): GpuFacts {
  return {
    source,
    vendor,
    name,
    uuid: null,
    busAddress: null,
    memoryTotalBytes: null,
    memoryFreeBytes: null,
    unifiedMemory: false,
    driver: null,
    computeCapability: null,
    powerDrawWatts: null,
    powerLimitWatts: null,
    temperatureCelsius: null,
    utilisationPercent: null,
    pcieGeneration: null,
    pcieWidth: null,
  };
}

/** A vendor's tool that did not do what it should. */
export interface Complaint {
  readonly vendor: GpuVendor;
  /**
   * `lost`: it says so of a card. `failed`: it says that it cannot work. `silent`: it did not answer in time. `blind`: it cannot
   * see the cards, which what runs on them already may still do.
   */
  readonly kind: "lost" | "failed" | "silent" | "blind";
  /** The card meant; null: all of this vendor. */
  readonly busAddress: string | null;
  /** The end of "… does not answer any more: ", safe to show to anybody. */
  readonly reason: string;
}

/** Most cards that a source is believed to list; more is rubbish. */
export const mostGpus = 64;

/** Smallest and largest value that can be true. What lies outside is no figure. */
interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
}

export const bounds = Object.freeze({
  /** A pebibyte is more than any machine of ours has. */
  bytes: { least: 0, most: 2 ** 50, whole: true },
  watts: { least: 0, most: 10_000, whole: false },
  celsius: { least: 0, most: 200, whole: false },
  percent: { least: 0, most: 100, whole: false },
  pcieGeneration: { least: 1, most: 16, whole: true },
  pcieWidth: { least: 1, most: 64, whole: true },
  cores: { least: 1, most: 65_536, whole: true },
} satisfies Record<string, Bounds>);

/** A number of a JSON source; anything else, also a text that looks like one, is null. */
export function numberWithin(value: unknown, { least, most, whole }: Bounds): number | null {
  if (typeof value !== "number" || !Number.isFinite(value) || value < least || value > most) return null;
  return whole ? (Number.isInteger(value) ? value : null) : value;
}

/** A number of a tool that prints text: plain decimal, as in `23.61`. `[N/A]`, `1e300`, `0x10` and `` are null. */
export function printedNumber(text: string | undefined, limits: Bounds, unit = 1): number | null {
  if (text === undefined || !/^-?\d{1,15}(\.\d{1,9})?$/.test(text.trim())) return null;
  return numberWithin(Number(text) * unit, limits);
}

/** Most characters of a name or a version. */
const longestText = 120;

/** A name or a version as a tool gave it, in one line; null when there is none. */
export function plainText(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const text = value
    .slice(0, 4 * longestText)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\s]+/gu, " ")
    .trim()
    .slice(0, longestText)
    .trim();
  return text === "" || /^\[?(n\/a|not supported|unknown( error)?|none)\]?$/i.test(text) ? null : text;
}

/** `00000000:01:00.0`, `0000:01:00.0` and `01:00.0` are one place: `0000:01:00.0`. Null: no such address. */
export function busAddressOf(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const parts = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/i.exec(value.trim());
  if (parts === null) return null;
  const domain = (parts[1] ?? "").replace(/^0+/, "").padStart(4, "0");
  return `${domain}:${parts[2]}`.toLowerCase();
}

/** Whose card it is, by whatever a source calls it. */
export function vendorOf(...words: readonly (string | null | undefined)[]): GpuVendor {
  const text = words.filter((word) => word !== null && word !== undefined).join(" ");
  if (/nvidia|geforce|quadro|tesla/i.test(text)) return "nvidia";
  if (/\bamd\b|radeon|advanced micro devices|\bati\b|instinct/i.test(text)) return "amd";
  if (/\bapple\b/i.test(text)) return "apple";
  if (/\bintel\b/i.test(text)) return "intel";
  return "other";
}
