/**
 * The SHA-256 of a file that is still being written: a thread reads behind the download as far as the file has no gap. Runs
 * on the thread of the server or command; starts one Worker when there is something to hash.
 */
import { Worker } from "node:worker_threads";
import { resolveSibling } from "../../server/platform/resolve-sibling.ts";
import type { HashData, HashOrder, HashReport } from "./hash-protocol.ts";
import { DownloadTrouble, never } from "./trouble.ts";

/** The thread is told of progress in steps of this many bytes. */
const stepBytes = 4 << 20;

export interface HashFollower {
  /** The file's first `until` bytes are there and will not change. */
  advance(until: number): void;
  /** In hex, of the file's first `bytes` bytes. Once, at the end. `onHashed` hears how far it is. */
  finish(bytes: number, onHashed: (bytes: number) => void): Promise<string>;
  close(): Promise<void>;
}

export function followHash(path: string): HashFollower {
  let worker: Worker | null = null;
  let toldBytes = 0;
  let onReport = (_report: HashReport): void => {};

  function thread(): Worker {
    if (worker !== null) return worker;
    const data: HashData = { path };
    const started = new Worker(resolveSibling(import.meta.url, "./hash-thread"), {
      workerData: data,
      execArgv: [],
      name: "download-hash",
    });
    // What went wrong before anybody asked for the hash is said when it is asked for.
    let problem: HashReport | null = null;
    const fail = (words: string) => {
      problem ??= { problem: words };
      onReport(problem);
    };
    started.on("message", (report: HashReport) => {
      if ("problem" in report) fail(report.problem);
      else onReport(problem ?? report);
    });
    started.on("error", (error) => fail(error instanceof Error ? error.message : String(error)));
    started.on("exit", () => fail("the hashing thread ended"));
    worker = started;
    return started;
  }

  function tell(order: HashOrder): void {
    toldBytes = order.until;
    thread().postMessage(order);
  }

  return {
    advance(until) {
      if (until - toldBytes >= stepBytes) tell({ until, finish: false });
    },
    finish: (bytes, onHashed) =>
      new Promise((resolve, reject) => {
        onReport = (report) => {
          if ("sha256" in report) resolve(report.sha256);
          else if ("problem" in report) reject(cannotRead(report.problem));
          else onHashed(report.hashedBytes);
        };
        tell({ until: bytes, finish: true });
      }),
    async close() {
      const running = worker;
      worker = null;
      await running?.terminate();
    },
  };
}

function cannotRead(why: string): DownloadTrouble {
  return new DownloadTrouble("disk", never, "What was downloaded cannot be read back.", { why });
}
