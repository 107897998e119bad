/**
 * Once a second, when something was written, the reader thread moves the write-ahead log into the file and syncs both.
 * That keeps the disk's waits off the server's thread, the log short, and what a power cut can take to about a second.
 * Runs on the server's thread; only asks.
 */
import type { Clock, Log } from "../domain/ports.ts";
import type { ReaderLink } from "./reader/link.ts";

const everyMs = 1000;

export interface Checkpoints {
  /** Something was committed. */
  due(): void;
  stop(): void;
}

export function createCheckpoints(link: ReaderLink, clock: Clock, log: Log): Checkpoints {
  let cancel: (() => void) | null = null;
  let isStopped = false;

  async function run(): Promise<void> {
    try {
      await link.ask("checkpoint", null);
    } catch (error) {
      // The writer's own checkpoint steps in when its bound is reached.
      if (!isStopped) log.warn({ err: error }, "the ledger's checkpoint failed");
    }
  }

  return {
    due() {
      if (cancel !== null || isStopped) return;
      cancel = clock.after(everyMs, () => {
        cancel = null;
        void run();
      });
    },
    stop() {
      isStopped = true;
      cancel?.();
    },
  };
}
