/**
 * Starts one of our own modules in a process of its own, takes the messages it sends and sees to its end, within a time. What
 * native code or a hung driver does there takes nothing of the server along. Runs in the server process or in a command.
 */
import type { Clock } from "../../domain/ports.ts";
import { signalTo, spawnWorker } from "../../platform/spawn.ts";

export interface ProcessAnswer {
  /** Oldest first. */
  readonly messages: readonly unknown[];
  /** How it ended, when it did not end well: `no answer within 60 s`, `SIGSEGV, "last line it wrote"`. */
  readonly ended: string | null;
}

/** Most messages that are taken from one process. */
const mostMessages = 16;

export function askProcess(
  modulePath: string,
  { clock, limitMs, signal }: { readonly clock: Clock; readonly limitMs: number; readonly signal: AbortSignal },
): Promise<ProcessAnswer> {
  if (signal.aborted) return Promise.resolve({ messages: [], ended: "it was stopped" });
  return new Promise((resolve) => {
    const messages: unknown[] = [];
    let lastLine = "";
    const child = spawnWorker(modulePath, {
      onLine: (line) => {
        if (line.trim() !== "") lastLine = line.trim().slice(0, 300);
      },
    });
    const end = (ended: string | null) => {
      stopTimer();
      signal.removeEventListener("abort", abort);
      // One that hangs in a driver outlives its kill: it must not keep this process.
      child.unref();
      child.channel?.unref();
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve({ messages, ended });
    };
    const cutOff = (why: string) => {
      signalTo(child, "SIGKILL");
      end(why);
    };
    const abort = () => cutOff("it was stopped");
    const stopTimer = clock.after(limitMs, () => cutOff(`no answer within ${Math.round(limitMs / 1000)} s`));
    signal.addEventListener("abort", abort, { once: true });
    child.on("message", (message) => {
      messages.push(message);
      if (messages.length > mostMessages) cutOff("it said too much");
    });
    child.once("error", (error) => end(error.message));
    child.once("close", (code, name) => {
      const how = name ?? (code === 0 ? null : `exit ${code}`);
      end(how === null ? null : `${how}${lastLine === "" ? "" : `, "${lastLine}"`}`);
    });
  });
}
