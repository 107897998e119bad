/** Reads what the engine said of its own devices. Pure; asking it is `run/ask-engine.ts`. */
import { bareGpu, bounds, type GpuFacts, mostGpus, numberWithin, plainText, vendorOf } from "../facts.ts";
import type { EngineAnswer } from "../recording.ts";

/**
 * The engine names its devices and gives their memory in one sum. With one device the sum is that device's. Of several with
 * the same name each has an equal part of the total; what is free on which is not known, and of different ones neither is.
 */
export function readEngine(answer: EngineAnswer | null): readonly GpuFacts[] {
  if (answer === null || !("gpu" in answer) || answer.gpu === null) return [];
  const { gpu } = answer;
  const names = answer.devices
    .map(plainText)
    .filter((name) => name !== null)
    .slice(0, mostGpus);
  const totalBytes = numberWithin(answer.memory?.totalBytes, bounds.bytes);
  const freeBytes = numberWithin(answer.memory?.freeBytes, bounds.bytes);
  const unifiedBytes = numberWithin(answer.memory?.unifiedBytes, bounds.bytes);
  const alike = new Set(names).size === 1;
  return names.map((name) => ({
    ...bareGpu("engine", gpu === "cuda" ? "nvidia" : gpu === "metal" ? vendorOf(name, "apple") : vendorOf(name), name),
    // A total of 0 is what a build says that cannot ask.
    memoryTotalBytes: totalBytes === null || totalBytes === 0 || !alike ? null : Math.floor(totalBytes / names.length),
    memoryFreeBytes: totalBytes === null || totalBytes === 0 || names.length !== 1 ? null : freeBytes,
    unifiedMemory: totalBytes !== null && totalBytes > 0 && unifiedBytes === totalBytes,
  }));
}
