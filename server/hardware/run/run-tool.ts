/**
 * Runs a vendor's tool to its end: bounded in time and in what it may print, one process of each tool at most. Runs in the
 * server process or in a command, never while a request waits. Knows nothing of what the tools print.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "../../domain/ports.ts";
import { signalTo } from "../../platform/spawn.ts";
import type { ToolAnswer } from "../recording.ts";

export interface ToolLimits {
  readonly limitMs: number;
  /** Of both streams together. */
  readonly mostBytes: number;
}

/** nvidia-smi takes seconds where it has to wake the driver first. A real answer is a few kilobytes. */
export const toolLimits: ToolLimits = Object.freeze({ limitMs: 10_000, mostBytes: 1024 * 1024 });

export type RunTool = (program: string, args: readonly string[], signal: AbortSignal) => Promise<ToolAnswer>;

/**
 * A tool that hangs in the driver cannot even be killed. Such a process is left behind and no second one of that program is
 * started beside it: it stays "silent" until the first is gone.
 */
export function toolRunner(clock: Clock, limits: ToolLimits = toolLimits): RunTool {
  const running = new Map<string, ChildProcess>();
  return (program, args, signal) => {
    if (signal.aborted) return Promise.resolve({ outcome: "silent", afterMs: 0 });
    if (running.has(program)) return Promise.resolve({ outcome: "silent", afterMs: limits.limitMs });
    return new Promise((resolve) => {
      let child: ReturnType<typeof start>;
      try {
        child = start(program, args);
      } catch (error) {
        // What is no program at all is refused at once.
        resolve({ outcome: "failed", code: null, text: error instanceof Error ? error.message : String(error) });
        return;
      }
      running.set(program, child);
      const pieces: Buffer[] = [];
      let bytes = 0;
      const end = (answer: ToolAnswer) => {
        stopTimer();
        signal.removeEventListener("abort", abort);
        child.stdout.destroy();
        child.stderr.destroy();
        child.unref();
        resolve(answer);
      };
      const cutOff = (answer: ToolAnswer) => {
        signalTo(child, "SIGKILL");
        end(answer);
      };
      const abort = () => cutOff({ outcome: "silent", afterMs: 0 });
      const stopTimer = clock.after(limits.limitMs, () => cutOff({ outcome: "silent", afterMs: limits.limitMs }));
      signal.addEventListener("abort", abort, { once: true });
      const take = (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > limits.mostBytes) cutOff({ outcome: "too-much" });
        else pieces.push(piece);
      };
      child.stdout.on("data", take);
      child.stderr.on("data", take);
      child.once("error", (error: NodeJS.ErrnoException) => {
        running.delete(program);
        const isMissing = error.code === "ENOENT" || error.code === "EACCES" || error.code === "ENOTDIR";
        end(isMissing ? { outcome: "missing" } : { outcome: "failed", code: null, text: error.message });
      });
      child.once("exit", () => running.delete(program));
      // Not `exit`: what it printed may come after it.
      child.once("close", (code) => {
        const text = Buffer.concat(pieces).toString("utf8");
        end(code === 0 ? { outcome: "printed", text } : { outcome: "failed", code, text });
      });
    });
  };
}

function start(program: string, args: readonly string[]) {
  return spawn(program, [...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, LC_ALL: "C" },
    windowsHide: true,
  });
}
