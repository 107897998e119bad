/** Asks Node about processor, memory and the disk of the models. Cheap; runs in the server process or in a command. */
import { statfs } from "node:fs/promises";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { dirname } from "node:path";
import type { Clock } from "../../domain/ports.ts";
import type { NodeAnswer } from "../recording.ts";

/** A file system on a network that is down does not answer. */
const diskLimitMs = 2_000;

export async function askNode(modelsFolder: string, clock: Clock): Promise<NodeAnswer> {
  const disk = await withinTime(room(modelsFolder), diskLimitMs, clock);
  return { ...askNodeAtOnce(), diskTotalBytes: disk?.totalBytes ?? null, diskFreeBytes: disk?.freeBytes ?? null };
}

/** What is known without waiting: everything but the disk. */
export function askNodeAtOnce(): NodeAnswer {
  // A container may have less than the machine; without a limit it is 0 or a number beyond all memory.
  const limit = process.constrainedMemory();
  const total = totalmem();
  return {
    cpuModel: cpus()[0]?.model ?? null,
    threads: availableParallelism(),
    totalMemoryBytes: limit > 0 && limit < total ? limit : total,
    freeMemoryBytes: Math.min(freemem(), process.availableMemory()),
    diskTotalBytes: null,
    diskFreeBytes: null,
  };
}

interface Room {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** Of the folder, or of the nearest above it that exists already. */
async function room(folder: string): Promise<Room | null> {
  try {
    const { blocks, bavail, bsize } = await statfs(folder);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    return dirname(folder) === folder ? null : room(dirname(folder));
  }
}

function withinTime<Value>(asked: Promise<Value>, limitMs: number, clock: Clock): Promise<Value | null> {
  return new Promise((resolve) => {
    const cancel = clock.after(limitMs, () => resolve(null));
    void asked.then((value) => {
      cancel();
      resolve(value);
    });
  });
}
