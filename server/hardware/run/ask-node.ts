/** Asks Node about processor, memory and the disk of the models. Cheap; runs in the server process or in a command. */
import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { dirname, join } from "node:path";
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
  const limitBytes = process.constrainedMemory();
  const memory = memoryWithin({
    totalBytes: totalmem(),
    freeBytes: freemem(),
    limitBytes,
    limitFreeBytes: process.availableMemory(),
    idleFileBytes: limitBytes > 0 && limitBytes < totalmem() ? idleFileBytes("/") : 0,
  });
  return {
    cpuModel: cpus()[0]?.model ?? null,
    threads: availableParallelism(),
    totalMemoryBytes: memory.totalBytes,
    freeMemoryBytes: memory.freeBytes,
    diskTotalBytes: null,
    diskFreeBytes: null,
  };
}

interface MemoryFacts {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** A container's; 0 or beyond all memory: there is none. */
  readonly limitBytes: number;
  /** Of the limit, with files that were read counted as taken. */
  readonly limitFreeBytes: number;
  /** Of those files, what the system gives back when asked. */
  readonly idleFileBytes: number;
}

/** A container may have less than the machine. What it has read of files counts against it and is as good as free. */
export function memoryWithin(facts: MemoryFacts): Room {
  const { totalBytes, freeBytes, limitBytes } = facts;
  if (limitBytes <= 0 || limitBytes >= totalBytes) return { totalBytes, freeBytes };
  const withinLimit = Math.min(limitBytes, facts.limitFreeBytes + facts.idleFileBytes);
  return { totalBytes: limitBytes, freeBytes: Math.min(freeBytes, withinLimit) };
}

/** From the kernel's account of this process's group, version 2 or 1; 0 where there is none. `root`: `/`. */
export function idleFileBytes(root: string): number {
  const own = textOf(join(root, "proc/self/cgroup"));
  const path = /^0::(\/\S*)$/m.exec(own)?.[1] ?? /^\d+:(?:\S+,)?memory(?:,\S+)?:(\/\S*)$/m.exec(own)?.[1] ?? "/";
  const groups = join(root, "sys/fs/cgroup");
  // Inside a container its own group is the root of what it sees.
  const places = [join(groups, path), groups, join(groups, "memory", path), join(groups, "memory")];
  for (const place of places) {
    const found = /^(?:total_)?inactive_file (\d{1,15})$/m.exec(textOf(join(place, "memory.stat")));
    if (found !== null) return Number(found[1]);
  }
  return 0;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
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
