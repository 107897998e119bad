/** A verdict as people read it: the memory as a bar, the sentence, and what to type instead. Pure text. */
import type { Machine } from "../../domain/fit/machine.ts";
import { gpuMarginOf, isWhole } from "../../domain/fit/place.ts";
import type { FitAlternative, FitVerdict, FitWishes } from "../../domain/fit/verdict.ts";
import { bytesText, countText, plural } from "../format.ts";

export interface FitPictured {
  readonly asked: string;
  readonly name: string;
  readonly verdict: FitVerdict;
  readonly wishes: FitWishes;
  readonly machine: Machine;
  /** Weights that stay in the machine's memory beside a GPU. Bytes. */
  readonly inputBytes: number;
  /** `--hardware` as it was given; null: this machine. */
  readonly hardware: string | null;
}

const barWidth = 48;

interface Part {
  readonly mark: string;
  readonly word: string;
  readonly bytes: number;
}

/** Which memory decides, how much of it is free, and what it would be filled with. */
function decisive({ verdict, machine, inputBytes }: FitPictured): {
  readonly title: string;
  readonly freeBytes: number;
  readonly parts: readonly Part[];
} {
  const { bytes, footprint, placement } = verdict;
  const onGpu = machine.gpus.length > 0 && placement !== "cpu";
  const total = onGpu ? footprint.vramBytes : footprint.ramBytes;
  const margin = onGpu ? gpuMarginOf(machine) : bytes.margin;
  const isSplit = placement === "split";
  const kv = isSplit ? 0 : bytes.kv;
  const weights = isSplit ? total : Math.min(total - kv, bytes.weights - (onGpu ? inputBytes : 0));
  const parts = [
    { mark: "█", word: isSplit ? "its part" : "weights", bytes: weights },
    { mark: "▓", word: "KV", bytes: kv },
    { mark: "▒", word: "compute", bytes: Math.max(0, total - weights - kv) },
    { mark: "░", word: "left free on purpose", bytes: margin },
  ].filter((part) => part.bytes > 0);
  const names = machine.gpus.map((gpu) => gpu.name);
  const title = onGpu ? [...new Set(names)].map((name) => countedName(name, names)).join(", ") : "Memory";
  const freeBytes = onGpu ? machine.gpus.reduce((sum, gpu) => sum + gpu.freeBytes, 0) : machine.memoryFreeBytes;
  return { title, freeBytes, parts };
}

function countedName(name: string, names: readonly string[]): string {
  const count = names.filter((other) => other === name).length;
  return count === 1 ? name : `${count} × ${name}`;
}

/** Every part shows at least one mark; what is more than there is stands behind the bar's end. */
function bar(parts: readonly Part[], freeBytes: number): string {
  const scale = Math.max(1, freeBytes) / barWidth;
  let [drawn, filledBytes] = ["", 0];
  for (const part of parts) {
    filledBytes += part.bytes;
    const end = Math.max(drawn.length + 1, Math.round(filledBytes / scale));
    drawn = drawn.padEnd(Math.min(end, 2 * barWidth), part.mark);
  }
  const inside = drawn.slice(0, barWidth).padEnd(barWidth, "·");
  return `[${inside}]${drawn.slice(barWidth)}`;
}

export function fitPicture(pictured: FitPictured): string {
  const { verdict, wishes, machine, name } = pictured;
  const { title, freeBytes, parts } = decisive(pictured);
  const neededBytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const rest = freeBytes - neededBytes;
  const legend = parts.map((part) => `${part.mark} ${part.word} ${bytesText(part.bytes)}`);
  legend.push(rest >= 0 ? `· free ${bytesText(rest)}` : `short by ${bytesText(-rest)}`);
  const lines = [
    `${name}: ${countText(verdict.contextLength)} tokens per request, ${plural(verdict.slots, "slot")}, ${wishes.kv} KV`,
    "",
    `${title}, ${bytesText(freeBytes)} free`,
    bar(parts, freeBytes),
    legend.join("   "),
    "",
    verdict.reason,
  ];
  if (isWhole(machine, verdict.placement)) {
    lines.push(
      `Longest context with ${plural(verdict.slots, "slot")}: ${countText(verdict.longestContext)} tokens. Speed: ${verdict.speed ?? "unknown"}.`,
    );
  }
  if (verdict.alternatives.length > 0) {
    const commands = verdict.alternatives.map(
      (alternative) => [commandOf(pictured, alternative), alternative.text] as const,
    );
    const width = Math.max(...commands.map(([command]) => command.length));
    lines.push("", "It would fit:", ...commands.map(([command, text]) => `  ${command.padEnd(width)}   ${text}`));
  }
  return lines.join("\n");
}

/** The command whose answer is that it fits. */
export function commandOf(
  { asked, hardware }: Pick<FitPictured, "asked" | "hardware">,
  { wishes }: FitAlternative,
): string {
  const quoted = (text: string): string => (/^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const flags = [
    ...(wishes.contextLength === null ? [] : [`--context ${wishes.contextLength}`]),
    `--slots ${wishes.slots}`,
    ...(wishes.kv === "f16" ? [] : [`--kv ${wishes.kv}`]),
    ...(hardware === null ? [] : [`--hardware ${quoted(hardware)}`]),
  ];
  return `lanthorn models fit ${quoted(asked)} ${flags.join(" ")}`;
}
