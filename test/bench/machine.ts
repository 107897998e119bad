/**
 * Is this machine quiet enough to measure on? Reads /proc only; elsewhere it cannot know and lets everything pass.
 * Two compute threads on two cores are fragile: one background search took a model from 49 to 8 tokens per second.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { cpuTicksOf } from "./processes.ts";

/** Share of all cores that others may use, in the one-second look and during a sample. */
const mostForeignShare = 0.08;
/** Load average of the last minute, per core, above which something else is or was just running. */
const mostLoadPerCore = 0.5;

export interface CpuTicks {
  readonly busy: number;
  readonly total: number;
}

/** Ticks of all cores since boot. User, nice, system, irq, softirq and steal are busy; idle and iowait are not. */
export function parseCpuTicks(stat: string): CpuTicks {
  const fields = stat.slice(0, stat.indexOf("\n")).trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = fields;
  const busy = user + nice + system + irq + softirq + steal;
  return { busy, total: busy + idle + iowait };
}

/**
 * Why this machine must not be measured on now, or null. Takes one second. `load`: judge the load average too, which
 * only the first look may do, since afterwards our own work is in it.
 */
export async function reasonToRefuse(look: "with-load" | "without-load"): Promise<string | null> {
  if (process.platform !== "linux") return null;
  const cores = availableParallelism();
  const load = Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]);
  const watch = watchForeignWork();
  await delay(1000);
  const share = watch();
  if (share > mostForeignShare) return `other work keeps ${percent(share)} of the processor busy`;
  if (look === "with-load" && load > mostLoadPerCore * cores) return `the load average is ${load} on ${cores} cores`;
  return null;
}

/** Waits up to `patienceMs` for a quiet machine; the reason it is still loaded afterwards, or null. */
export async function waitForQuiet(patienceMs: number): Promise<string | null> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const reason = await reasonToRefuse("without-load");
    if (reason === null || performance.now() >= deadline) return reason;
    await delay(2000);
  }
}

/** Starts watching; the returned function says which share of all cores was used since by others than us and our children. */
export function watchForeignWork(): () => number {
  if (process.platform !== "linux") return () => 0;
  const before = ticksNow();
  return () => {
    const after = ticksNow();
    const foreign = after.busy - before.busy - (after.own - before.own);
    return Math.max(0, foreign) / Math.max(1, after.total - before.total);
  };
}

/** What a sample taken under foreign work of this share says; null when it was quiet enough. */
export function disturbance(share: number): string | null {
  return share > mostForeignShare ? `other work used ${percent(share)} of the processor meanwhile` : null;
}

function ticksNow(): CpuTicks & { readonly own: number } {
  return { ...parseCpuTicks(readFileSync("/proc/stat", "utf8")), own: cpuTicksOf(process.pid) };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
