/**
 * The hashing thread: reads a part file behind the download and keeps its SHA-256, so that no stream of the server's thread
 * waits for it. Runs in a worker_threads Worker, one per file on its way.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { HashData, HashOrder, HashReport } from "./hash-protocol.ts";

const pieceBytes = 1 << 20;
/** Between two reports of how far it is. */
const reportBytes = 64 << 20;

const { path } = workerData as HashData;
const hash = createHash("sha256");
const piece = Buffer.allocUnsafe(pieceBytes);
let hashedBytes = 0;

function report(what: HashReport): void {
  parentPort?.postMessage(what);
}

function readUntil(until: number): void {
  const file = openSync(path, "r");
  try {
    let saidBytes = hashedBytes;
    while (hashedBytes < until) {
      const count = readSync(file, piece, 0, Math.min(pieceBytes, until - hashedBytes), hashedBytes);
      if (count === 0) throw new Error("the file is shorter than what was written");
      hash.update(piece.subarray(0, count));
      hashedBytes += count;
      if (hashedBytes - saidBytes >= reportBytes) {
        saidBytes = hashedBytes;
        report({ hashedBytes });
      }
    }
  } finally {
    closeSync(file);
  }
}

parentPort?.on("message", ({ until, finish }: HashOrder) => {
  try {
    readUntil(until);
    if (finish) report({ sha256: hash.digest("hex") });
  } catch (thrown) {
    report({ problem: thrown instanceof Error ? thrown.message : String(thrown) });
  }
});
