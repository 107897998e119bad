/**
 * The downloads of this box: a queue that survives restarts, carried out a few at a time. Runs in the server process, and in
 * a command while no server runs; whoever opens it holds the data folder's lock.
 */
import { randomBytes } from "node:crypto";
import { type DownloadState, type DownloadView, isSettled } from "../../server/domain/download.ts";
import { Failure } from "../../server/domain/failure.ts";
import { checkLicence, licenceFailure, readAcceptedLicences, recordAcceptedLicence } from "../catalog/licence.ts";
import type { ModelName } from "../catalog/name.ts";
import { safeBytesOf } from "./part-file.ts";
import {
  type DownloadRecord,
  downloadsFolder,
  makeDownloadsFolder,
  partPath,
  readRecords,
  removeParts,
  removeRecord,
  sweep,
  writeRecord,
} from "./record.ts";
import { type DownloadsOptions, downloadTiming } from "./settings.ts";
import { Standing } from "./standing.ts";
import { createSteps } from "./steps.ts";
import { asTrouble, type DownloadTrouble } from "./trouble.ts";
import { type DownloadWish, nameOf, targetOf } from "./wish.ts";

export interface Downloads {
  /** Oldest first. */
  list(): readonly DownloadView[];
  /** The one that does this already, when there is one. Throws Failure. */
  start(wish: DownloadWish): DownloadView;
  /** What was fetched stays. Resolves when nothing runs any more. Each throws Failure `not_found`. */
  pause(id: string): Promise<DownloadView>;
  resume(id: string): DownloadView;
  /** What was fetched is removed. */
  cancel(id: string): Promise<DownloadView>;
  /** Something runs, or waits for its turn: the box is not idle. */
  isBusy(): boolean;
  /** Stops what runs, in a state from which it goes on. */
  close(): Promise<void>;
}

/** Finished ones that are remembered. */
const keptFinished = 20;

interface Entry {
  readonly standing: Standing;
  /** Null: nothing runs. */
  run: { readonly stop: AbortController; readonly ended: Promise<void> } | null;
  /** It may run when its turn comes. */
  isWanted: boolean;
}

export function openDownloads(options: DownloadsOptions): Downloads {
  const { home, settings, clock, log } = options;
  const folder = downloadsFolder(home);
  const { progressMs } = options.timing ?? downloadTiming;
  const entries = new Map<string, Entry>();
  let isClosed = false;
  const steps = createSteps(options, {
    enter,
    tell,
    promisedBytes: (but) =>
      [...entries.values()]
        .filter((entry) => entry.standing !== but && entry.isWanted)
        .reduce((sum, entry) => sum + entry.standing.missingBytes, 0),
  });

  makeDownloadsFolder(folder);
  sweep(folder);
  for (const record of keepNewest(folder, readRecords(folder))) {
    const entry = add(record);
    if (isSettled(record.state)) continue;
    entry.standing.enter("queued", "goes on after a restart", clock.now(), null);
    entry.isWanted = options.goOn;
  }
  queueMicrotask(pump);

  function add(record: DownloadRecord): Entry {
    const standing = new Standing(record, (last) => {
      if (clock.monotonicMs() - last >= progressMs) tell(standing);
    });
    for (const [index, file] of record.files.entries()) {
      standing.doneBytes[index] =
        record.state === "done" ? file.bytes : safeBytesOf(partPath(folder, record.id, index), file);
    }
    const entry: Entry = { standing, run: null, isWanted: false };
    entries.set(record.id, entry);
    return entry;
  }

  function viewOf({ standing }: Entry): DownloadView {
    return standing.view(clock.monotonicMs());
  }

  function tell(standing: Standing): void {
    standing.toldAtMs = clock.monotonicMs();
    options.publish(standing.view(standing.toldAtMs));
  }

  function enter(
    standing: Standing,
    state: DownloadState,
    reason: string,
    trouble: DownloadTrouble | null = null,
  ): void {
    if (!standing.enter(state, reason, clock.now(), trouble)) return;
    try {
      writeRecord(folder, standing.record);
    } catch (cause) {
      // It goes on in memory; after a restart it begins where the last record says.
      log.warn({ download: standing.id, cause }, "a download's record cannot be written");
    }
    tell(standing);
  }

  /** Starts whatever may run: questions to the Hub at once, bytes in turn. */
  function pump(): void {
    if (isClosed) return;
    const wanted = [...entries.values()].filter((entry) => entry.isWanted);
    let free = settings.atOnce - wanted.filter(({ run, standing }) => run !== null && standing.isKnown).length;
    for (const entry of wanted) {
      if (entry.run !== null) continue;
      const { standing } = entry;
      if (!standing.isKnown) begin(entry, steps.ask);
      else if (free > 0) {
        free -= 1;
        begin(entry, async (_standing, signal) => {
          const paths = await steps.fetch(standing, signal);
          entry.isWanted = false;
          enter(standing, "done", "verified");
          options.onFiles(paths);
        });
      } else enter(standing, "queued", "waits for the downloads before it");
    }
  }

  function begin(entry: Entry, step: (standing: Standing, signal: AbortSignal) => Promise<void>): void {
    const { standing } = entry;
    const stop = new AbortController();
    const carryOut = async () => {
      try {
        await step(standing, stop.signal);
      } catch (thrown) {
        if (stop.signal.aborted) return;
        const trouble = asTrouble(thrown);
        const { code, message, cause } = trouble;
        log.warn({ download: standing.id, code, cause }, `a download failed: ${message}`);
        entry.isWanted = false;
        enter(standing, "failed", message, trouble);
      }
    };
    const ended = carryOut().finally(() => {
      entry.run = null;
      pump();
    });
    entry.run = { stop, ended };
  }

  /** Throws Failure when a restricted licence was not accepted. */
  function agreeToLicence(name: ModelName, acceptsNow: boolean): void {
    const verdict = checkLicence(name, readAcceptedLicences(home), acceptsNow);
    if (verdict.kind === "must-accept") throw licenceFailure(verdict);
    if (verdict.kind !== "record") return;
    const { licence, model } = verdict;
    recordAcceptedLicence(home, { licence: licence.id, model, acceptedAtMs: clock.now() });
  }

  function find(id: string): Entry {
    const entry = entries.get(id);
    if (entry === undefined) throw new Failure("not_found", "There is no such download.");
    return entry;
  }

  async function halt(entry: Entry): Promise<void> {
    entry.isWanted = false;
    const { run } = entry;
    run?.stop.abort(new Error("stopped"));
    await run?.ended;
  }

  function want(entry: Entry): DownloadView {
    if (isClosed) throw new Failure("shutting_down", "The box is stopping.");
    if (entry.isWanted) return viewOf(entry);
    // Nothing was fetched yet, so the Hub may be asked afresh: its answer may have been the trouble.
    if (entry.standing.allDoneBytes === 0) entry.standing.forget();
    entry.isWanted = true;
    enter(entry.standing, "queued", "waits for its turn");
    pump();
    return viewOf(entry);
  }

  return {
    list: () => [...entries.values()].map(viewOf),

    start(wish) {
      if (isClosed) throw new Failure("shutting_down", "The box is stopping.");
      const name = nameOf(wish);
      agreeToLicence(name, wish.acceptLicense);
      const target = targetOf(name, wish.alias);
      const twin = [...entries.values()].find(({ standing: { record } }) => {
        const isOpen = record.state !== "done" && record.state !== "cancelled";
        return isOpen && record.model === wish.model && record.alias === target.alias;
      });
      if (twin !== undefined) {
        twin.standing.record = { ...twin.standing.record, rateBytesPerSecond: wish.rateBytesPerSecond };
        return want(twin);
      }
      const { expected, ...rest } = target;
      const entry = add({
        version: 1,
        id: `dl_${randomBytes(6).toString("hex")}`,
        model: wish.model,
        ...rest,
        expected: expected.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
        commit: null,
        rateBytesPerSecond: wish.rateBytesPerSecond,
        files: [],
        state: "queued",
        since: clock.now(),
        reason: "",
        trouble: null,
        createdAtMs: clock.now(),
      });
      return want(entry);
    },

    async pause(id) {
      const entry = find(id);
      await halt(entry);
      // Unless somebody resumed it while it came to rest.
      if (!entry.isWanted && !isSettled(entry.standing.state)) enter(entry.standing, "paused", "paused by a person");
      return viewOf(entry);
    },

    resume(id) {
      const entry = find(id);
      refuseFinished(entry.standing.state);
      return want(entry);
    },

    async cancel(id) {
      const entry = find(id);
      refuseFinished(entry.standing.state);
      while (entry.run !== null || entry.isWanted) await halt(entry);
      // It may have ended well just before.
      refuseFinished(entry.standing.state);
      removeParts(folder, id);
      entry.standing.doneBytes.fill(0);
      enter(entry.standing, "cancelled", "cancelled by a person");
      removeRecord(folder, id);
      return viewOf(entry);
    },

    isBusy: () => [...entries.values()].some((entry) => entry.isWanted),

    async close() {
      isClosed = true;
      for (const entry of entries.values()) entry.run?.stop.abort(new Error("stopped"));
      await Promise.all([...entries.values()].map((entry) => entry.run?.ended));
    },
  };
}

function refuseFinished(state: DownloadState): void {
  if (state !== "done" && state !== "cancelled") return;
  throw new Failure("invalid_request", `This download is ${state}.`, { param: "id" });
}

/** Unfinished ones stay; of the others the newest. */
function keepNewest(folder: string, records: readonly DownloadRecord[]): readonly DownloadRecord[] {
  const finished = records.filter((record) => record.state === "done" || record.state === "cancelled");
  const dropped = new Set(finished.slice(0, Math.max(0, finished.length - keptFinished)));
  for (const record of dropped) removeRecord(folder, record.id);
  return records.filter((record) => !dropped.has(record));
}
