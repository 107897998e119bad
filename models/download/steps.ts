/**
 * The two steps of a download with everything that is shown of them: asking the Hub, and fetching. Turns what happens below
 * into states. Runs in the server process and in commands.
 */
import type { DownloadState } from "../../server/domain/download.ts";
import { askHub, type CarryOutPorts, fetchAll } from "./carry-out.ts";
import { createHubCalls, type HubCalls } from "./hub/calls.ts";
import { partBytesFor } from "./ranges.ts";
import { RateCap } from "./rate-cap.ts";
import { type DownloadsOptions, downloadTiming } from "./settings.ts";
import { leastFreeBytesOf, spaceTrouble } from "./space.ts";
import { downloadsFolder } from "./record.ts";
import type { Standing } from "./standing.ts";
import type { DownloadTrouble } from "./trouble.ts";

/** What the steps need of the queue. */
export interface Desk {
  /** Changes the state, keeps it on disk, and tells. */
  enter(standing: Standing, state: DownloadState, reason: string): void;
  tell(standing: Standing): void;
  /** What the other downloads that wait or run still need of the disk. */
  promisedBytes(but: Standing): number;
}

export interface Steps {
  /** Fills in commit and files. Both throw DownloadTrouble, or the signal's reason. */
  ask(standing: Standing, signal: AbortSignal): Promise<void>;
  /** The models that are there when it resolves. */
  fetch(standing: Standing, signal: AbortSignal): Promise<readonly string[]>;
}

export function createSteps(options: DownloadsOptions, desk: Desk): Steps {
  const { settings, clock, log } = options;
  const folder = downloadsFolder(options.home);
  const timing = options.timing ?? downloadTiming;
  const freeBytes = options.freeBytes ?? (() => leastFreeBytesOf(folder, options.modelsFolder));
  const sharedCap = new RateCap(settings.rateLimitBytesPerSecond, clock.monotonicMs());
  let calls: HubCalls | null = null;

  function hubCalls(): HubCalls {
    const { upstream, lookup } = options;
    const ports = { upstream, clock, silenceMs: timing.silenceMs, ...(lookup === undefined ? {} : { lookup }) };
    calls ??= createHubCalls(options.hub(), ports);
    return calls;
  }

  function portsOf(standing: Standing, signal: AbortSignal): CarryOutPorts {
    return {
      calls: hubCalls(),
      clock,
      times: { ...timing, patienceMs: settings.patienceMs },
      folder,
      modelsFolder: options.modelsFolder,
      parallel: settings.parallel,
      partBytesOf: options.partBytesOf ?? partBytesFor,
      caps: [sharedCap, new RateCap(standing.record.rateBytesPerSecond, clock.monotonicMs())],
      freeBytes,
      signal,
      onTrouble: (trouble, waitMs) => onTrouble(standing, trouble, waitMs),
    };
  }

  function onTrouble(standing: Standing, trouble: DownloadTrouble, waitMs: number): void {
    const { code, cause, message } = trouble;
    log.info({ download: standing.id, code, waitMs: Math.round(waitMs), cause }, message);
    if (waitMs <= 0) return;
    desk.enter(standing, "stalled", message);
    standing.untilMs = clock.now() + Math.round(waitMs);
    desk.tell(standing);
  }

  async function checkSpace(neededBytes: number, promisedBytes: number): Promise<void> {
    const free = await freeBytes();
    const trouble = spaceTrouble({ freeBytes: free, neededBytes, promisedBytes, keptBytes: settings.keepFreeBytes });
    if (trouble !== null) throw trouble;
  }

  /** Says "stalled" while nothing comes, whatever the reason. */
  function watch(standing: Standing): () => void {
    let cancel = () => {};
    const look = () => {
      const silentMs = clock.monotonicMs() - standing.lastByteMs;
      if (silentMs >= timing.stalledMs && standing.state === "downloading") {
        desk.enter(standing, "stalled", "no data comes");
      }
      cancel = clock.after(Math.max(50, timing.stalledMs / 8), look);
    };
    look();
    return () => cancel();
  }

  return {
    async ask(standing, signal) {
      desk.enter(standing, "resolving", "asks the Hub what it is");
      const { commit, files } = await askHub(standing.record, portsOf(standing, signal));
      const neededBytes = files.reduce((sum, file) => sum + file.bytes, 0);
      await checkSpace(neededBytes, desk.promisedBytes(standing));
      signal.throwIfAborted();
      standing.know(commit, files);
      desk.enter(standing, "queued", "waits for its turn");
    },

    async fetch(standing, signal) {
      await checkSpace(standing.missingBytes, 0);
      signal.throwIfAborted();
      const fetching = () => desk.enter(standing, "downloading", "fetches");
      fetching();
      standing.lastByteMs = clock.monotonicMs();
      const unwatch = watch(standing);
      try {
        return await fetchAll(standing.record, portsOf(standing, signal), {
          onThere: (index, bytes) => {
            standing.doneBytes[index] = bytes;
            desk.tell(standing);
          },
          onBytes: (index, fresh) => {
            standing.cameIn(index, fresh, clock.monotonicMs());
            if (standing.state !== "downloading") fetching();
          },
          onVerifying: () => {
            desk.enter(standing, "verifying", "compares the SHA-256");
            standing.lastByteMs = clock.monotonicMs();
          },
        });
      } finally {
        unwatch();
      }
    },
  };
}
