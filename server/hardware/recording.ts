/**
 * What the tools of one machine said, as they said it: the form in which it is handed from running them to reading them, and
 * in which machines are written down in files (`test/fixtures/machines`, `--hardware`). Pure; zod at the edge.
 *
 * Figures are `unknown` here on purpose: the readers in `sources/` decide what can be one.
 */
import { z } from "zod";

/** What became of running a tool. */
export const toolAnswer = z.discriminatedUnion("outcome", [
  z.strictObject({ outcome: z.literal("printed"), text: z.string() }),
  /** It ended with an error; `text` is what it printed. */
  z.strictObject({ outcome: z.literal("failed"), code: z.int().nullable(), text: z.string() }),
  /** There is no such program. */
  z.strictObject({ outcome: z.literal("missing") }),
  z.strictObject({ outcome: z.literal("silent"), afterMs: z.number() }),
  /** It printed more than is read. */
  z.strictObject({ outcome: z.literal("too-much") }),
]);
export type ToolAnswer = z.output<typeof toolAnswer>;

/** The engine's own word, from a process that loaded its native build as a worker does. */
export const engineAnswer = z.union([
  z.strictObject({
    /** Null: it computes on the CPU. */
    gpu: z.enum(["cuda", "vulkan", "metal"]).nullable(),
    cpuThreads: z.unknown(),
    release: z.unknown(),
    devices: z.array(z.unknown()),
    /** Of all its devices together. Null: it was not told. */
    memory: z.strictObject({ totalBytes: z.unknown(), freeBytes: z.unknown(), unifiedBytes: z.unknown() }).nullable(),
    /** The libraries came from the package for older NVIDIA drivers; null: it cannot tell. */
    olderCuda: z.boolean().nullable(),
  }),
  /** It could not be loaded. */
  z.strictObject({ problem: z.string() }),
  /** Its process ended, or did not answer in time. */
  z.strictObject({ ended: z.string() }),
]);
export type EngineAnswer = z.output<typeof engineAnswer>;

/** Chosen fields of systeminformation's answers, in its own names; null: that part did not come. */
export const systemAnswer = z.strictObject({
  controllers: z.array(z.looseObject({})).nullable(),
  cpu: z.looseObject({}).nullable(),
  mem: z.looseObject({}).nullable(),
  fileSystems: z.array(z.looseObject({})).nullable(),
});
export type SystemAnswer = z.output<typeof systemAnswer>;

export const nodeAnswer = z.strictObject({
  cpuModel: z.unknown(),
  threads: z.unknown(),
  totalMemoryBytes: z.unknown(),
  freeMemoryBytes: z.unknown(),
  /** Of the file system that holds the models; null: it could not be asked. */
  diskTotalBytes: z.unknown(),
  diskFreeBytes: z.unknown(),
});
export type NodeAnswer = z.output<typeof nodeAnswer>;

export const nvidiaAnswer = z.strictObject({
  /** What was asked for, in order: `--query-gpu`. */
  fields: z.array(z.string()),
  answer: toolAnswer,
});
export type NvidiaAnswer = z.output<typeof nvidiaAnswer>;

/** Null for a source: it was not asked. */
export const recording = z.strictObject({
  lanthornMachine: z.literal(1),
  /** Where it comes from, for whoever reads the file. */
  note: z.string().optional(),
  /** Epoch milliseconds. */
  recordedAtMs: z.int().min(0),
  platform: z.string(),
  arch: z.string(),
  /** `@node-llama-cpp/…` packages that are installed, without the scope: `linux-x64-cuda`. */
  enginePackages: z.array(z.string()),
  modelsFolder: z.string(),
  nvidiaSmi: nvidiaAnswer.nullable(),
  rocmSmi: toolAnswer.nullable(),
  engine: engineAnswer.nullable(),
  systeminformation: systemAnswer.nullable(),
  node: nodeAnswer.nullable(),
});
export type Recording = z.output<typeof recording>;

/** What a tool printed, whether it ended well or not; null: nothing came. */
export function printedBy(answer: ToolAnswer | null): string | null {
  return answer?.outcome === "printed" || answer?.outcome === "failed" ? answer.text : null;
}

/** Why a tool gave nothing to read, for a person; null: it did answer, or is not there. */
export function trouble(tool: string, answer: ToolAnswer | null): { kind: "failed" | "silent"; reason: string } | null {
  switch (answer?.outcome) {
    case "failed":
      return { kind: "failed", reason: `${tool} fails${firstLine(answer.text)}` };
    case "silent":
      return { kind: "silent", reason: `${tool} gave no answer within ${Math.round(answer.afterMs / 1000)} s` };
    case "too-much":
      return { kind: "failed", reason: `${tool} printed without end` };
    default:
      return null;
  }
}

/** The first line a tool printed, in parentheses, without anything that could hide or move text. */
function firstLine(text: string): string {
  const line = text
    .slice(0, 2_000)
    .split(/\r?\n/)
    .map((one) => one.replace(/[\p{Cc}\p{Cf}\p{Cs}]+/gu, " ").trim())
    .find((one) => one !== "");
  return line === undefined ? "" : ` (${line.slice(0, 160)})`;
}
