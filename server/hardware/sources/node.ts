/** Reads what Node itself knows. Pure; asking it is `run/ask-node.ts`. */
import { bounds, numberWithin, plainText } from "../facts.ts";
import type { NodeAnswer } from "../recording.ts";

export interface NodeFacts {
  readonly cpuName: string | null;
  readonly threads: number | null;
  readonly memoryTotalBytes: number | null;
  readonly memoryFreeBytes: number | null;
  readonly diskTotalBytes: number | null;
  readonly diskFreeBytes: number | null;
}

export function readNode(answer: NodeAnswer | null): NodeFacts {
  return {
    cpuName: plainText(answer?.cpuModel),
    threads: numberWithin(answer?.threads, bounds.cores),
    memoryTotalBytes: numberWithin(answer?.totalMemoryBytes, bounds.bytes),
    memoryFreeBytes: numberWithin(answer?.freeMemoryBytes, bounds.bytes),
    diskTotalBytes: numberWithin(answer?.diskTotalBytes, bounds.bytes),
    diskFreeBytes: numberWithin(answer?.diskFreeBytes, bounds.bytes),
  };
}
