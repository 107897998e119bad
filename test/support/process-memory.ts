/** What another process holds, from the system's own books. Linux only: elsewhere `canMeasure` is false. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

export const canMeasure = existsSync("/proc/self/clear_refs");

function status(pid: number, field: string): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (found === null) throw new Error(`no ${field} of process ${pid}`);
  return Number(found[1]) * 1024;
}

export function residentBytes(pid: number): number {
  return status(pid, "VmRSS");
}

/** Runs `work` and tells how far the resident memory of `pid` rose above its start meanwhile, at its highest. */
export async function peakGrowthBytes(pid: number, work: () => Promise<unknown>): Promise<number> {
  // Sets the high-water mark back to what is resident now.
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  const before = residentBytes(pid);
  await work();
  return status(pid, "VmHWM") - before;
}

/** How many descriptors `pid` has open. */
export function descriptorCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
