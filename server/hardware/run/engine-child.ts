/**
 * Loads the engine's native build as a worker would, without a model, and says what it computes on. Runs in a process of its
 * own, started by `ask-engine.ts`; a crash of native code ends only this. It says what it knows before it asks for memory:
 * that makes a CUDA context, which a full card does not survive.
 */
import { basename, dirname } from "node:path";

// Nobody is left to hear.
process.on("disconnect", () => process.exit(0));
const say = (message: object) => new Promise<void>((resolve) => void process.send?.(message, () => resolve()));

async function look(): Promise<void> {
  try {
    const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");
    const llama = await getLlama({
      gpu: "auto",
      build: "never",
      skipDownload: true,
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
      // Otherwise it asks for the cards' memory at once.
      vramPadding: 0,
      ramPadding: 0,
    });
    const gpu = llama.gpu === false ? null : llama.gpu;
    const said = {
      gpu,
      cpuThreads: llama.cpuMathCores,
      release: llama.llamaCppRelease.release,
      devices: await llama.getGpuDeviceNames(),
      memory: null,
      olderCuda: gpu === "cuda" ? loadedOlderCuda() : null,
    };
    await say(said);
    if (gpu === null) return;
    const { total, free, unifiedSize } = await llama.getVramState();
    await say({ ...said, memory: { totalBytes: total, freeBytes: free, unifiedBytes: unifiedSize } });
  } catch (error) {
    await say({ problem: error instanceof Error ? error.message : String(error) });
  }
}

/** The libraries for older drivers lie in a folder `fallback` of their own package. Null: the system does not list them. */
function loadedOlderCuda(): boolean | null {
  // It would look up the names of all connections. Known to Node, not to its types.
  Object.assign(process.report, { excludeNetwork: true });
  const report: unknown = process.report.getReport();
  if (typeof report !== "object" || report === null || !("sharedObjects" in report)) return null;
  const { sharedObjects } = report;
  if (!Array.isArray(sharedObjects)) return null;
  const library = sharedObjects.find((path) => typeof path === "string" && /ggml-cuda[^/\\]*$/.test(path));
  return typeof library === "string" ? basename(dirname(library)) === "fallback" : null;
}

await look();
process.exit(0);
