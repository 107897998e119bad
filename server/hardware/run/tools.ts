/**
 * Everything that can be asked about this machine, as functions: what a look is made of, and the edge at which tests put other
 * machines. Runs in the server process or in a command.
 */
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Clock } from "../../domain/ports.ts";
import type { EngineAnswer, NodeAnswer, NvidiaAnswer, SystemAnswer, ToolAnswer } from "../recording.ts";
import { nvidiaFields, refusedField } from "../sources/nvidia-smi.ts";
import { rocmArguments } from "../sources/rocm-smi.ts";
import { askEngine } from "./ask-engine.ts";
import { askNode } from "./ask-node.ts";
import { askSystem } from "./ask-system.ts";
import { type RunTool, toolRunner } from "./run-tool.ts";

export interface Tools {
  readonly platform: string;
  readonly arch: string;
  enginePackages(): readonly string[];
  nvidiaSmi(signal: AbortSignal): Promise<NvidiaAnswer>;
  rocmSmi(signal: AbortSignal): Promise<ToolAnswer>;
  engine(signal: AbortSignal): Promise<EngineAnswer>;
  systeminformation(signal: AbortSignal): Promise<SystemAnswer | null>;
  node(modelsFolder: string): Promise<NodeAnswer>;
}

export function machineTools(clock: Clock): Tools {
  const run = toolRunner(clock);
  return {
    platform: process.platform,
    arch: process.arch,
    enginePackages: installedEnginePackages,
    nvidiaSmi: (signal) => askNvidiaSmi(run, signal),
    rocmSmi: (signal) => run("rocm-smi", rocmArguments, signal),
    engine: (signal) => askEngine(clock, signal),
    systeminformation: (signal) => askSystem(clock, signal),
    node: (modelsFolder) => askNode(modelsFolder, clock),
  };
}

/** Fields that older drivers lack; more than this is another fault. */
const mostRefusals = 4;

/** A driver that does not know a field refuses the whole question: it is asked again without that field. */
export async function askNvidiaSmi(run: RunTool, signal: AbortSignal): Promise<NvidiaAnswer> {
  let fields = nvidiaFields;
  for (let refusals = 0; ; refusals += 1) {
    const query = [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"];
    const answer = await run(nvidiaSmiProgram(process.platform, process.env), query, signal);
    const refused = refusedField(answer);
    if (refused === null || refusals >= mostRefusals || !fields.includes(refused))
      return { fields: [...fields], answer };
    fields = fields.filter((field) => field !== refused);
  }
}

/** On Windows a bare name would be looked for in the working folder first. */
export function nvidiaSmiProgram(platform: string, environment: Readonly<Record<string, string | undefined>>): string {
  const root = environment.SystemRoot ?? environment.SYSTEMROOT;
  return platform === "win32" && root !== undefined ? join(root, "System32", "nvidia-smi.exe") : "nvidia-smi";
}

/** Builds of the engine that are installed, without their scope; nothing is loaded. */
export function installedEnginePackages(): readonly string[] {
  const folders = createRequire(import.meta.url).resolve.paths("node-llama-cpp") ?? [];
  const found = folders.flatMap((folder) => {
    try {
      return readdirSync(join(folder, "@node-llama-cpp"));
    } catch {
      return [];
    }
  });
  return [...new Set(found)].filter((name) => !name.startsWith(".")).sort();
}
