/**
 * Batches of every caller, and what runs them: judged at once, then run oldest first, one batch of each caller at a time.
 * Runs in the server, below whoever waits for an answer. What was under way when the server ended goes on at `start`.
 */
import type { RateLimits } from "../access/rate-limits.ts";
import type { BatchWish } from "../dialects/openai-batch/objects.ts";
import { type Batch, type BatchRecords, isOver } from "../domain/batch.ts";
import { type Caller, callerId, keylessCaller } from "../domain/caller.ts";
import { Failure } from "../domain/failure.ts";
import type { Clock, Log } from "../domain/ports.ts";
import type { RouteWishes } from "../domain/routing/request-facts.ts";
import { noUsage } from "../domain/usage.ts";
import type { Inference } from "../inference.ts";
import { newBatchId, newFileId } from "../platform/ids.ts";
import { Contents } from "./contents.ts";
import { type Files, noSuch, openFiles } from "./files.ts";
import { judgeFile } from "./judge-file.ts";
import { Places } from "./places.ts";
import { keyEnded, Run, type RunPorts } from "./run.ts";

export interface BatchSettings {
  /** 0: there are no batches. */
  readonly keepDays: number;
  readonly fileLimitBytes: number;
  readonly storeBytes: number;
  readonly keepFreeBytes: number;
  readonly atOnce: number;
}

export interface BatchOptions {
  readonly settings: BatchSettings;
  /** In the data folder. */
  readonly folder: string;
  /** As much as one request's body may have: no line is longer. */
  readonly mostLineBytes: number;
  readonly records: BatchRecords;
  readonly inference: Pick<Inference, "chat" | "embed" | "refuse">;
  readonly rateLimits: Pick<RateLimits, "enter" | "state">;
  readonly engineBuild: string;
  /** Requests of anybody that wait for a slot of the engine. */
  waiting(): number;
  /** Who holds that key now; null: it is no good any more. */
  callerOf(keyId: number): Caller | null;
  /** Inference needs no key here. */
  readonly keyless: boolean;
  /** Keeps the box awake until what it returns is called. */
  begin(): () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Files and batches, as HTTP and the box ask for them. */
export interface Batches extends Files {
  /** Throws Failure `not_found` for the file, `queue_full` where this caller has too many open batches. */
  create(caller: Caller, wish: BatchWish, wishes: RouteWishes): Batch;
  /** Newest first. */
  batches(caller: Caller): readonly Batch[];
  /** Both throw Failure `not_found` for what is not this caller's. */
  batch(caller: Caller, id: string): Batch;
  /** Throws Failure `invalid_request` when it is over. */
  cancel(caller: Caller, id: string): Batch;
  /** A key was revoked: its batches stop and its files go. */
  forget(caller: string): void;
  /** For `countedInference` of everybody who is no batch: `begin`, and lines of batches make room. */
  besides(begin: () => () => void): () => () => void;
  /** Goes on with what is open. Call once. */
  start(): void;
  /** Leaves what runs; resolves when nothing does. */
  stop(): Promise<void>;
}

const windowMs = 86_400_000;
/** Expired files, keys and batches are looked for this often. */
const lookEveryMs = 30_000;
/** An upstream that does not hear that it was left must not hold up the end of the server. */
const mostStopMs = 5_000;
const mostOpen = 100;
/** Batches at the same time, each of another caller. */
const mostRuns = 8;

/** Throws what the file system throws when the folder cannot be made. */
export function openBatches(options: BatchOptions): Batches {
  const { settings, records, clock, log } = options;
  const keepMs = settings.keepDays * 86_400_000;
  const places = new Places({ most: settings.atOnce, waiting: options.waiting });
  const contents = new Contents({ ...options, ...settings, storedBytes: () => records.storedBytes() });
  const files = openFiles({ keepMs, records, contents, clock });
  const runs = new Map<string, Run>();
  let judging: { readonly id: string; readonly stop: AbortController; readonly over: Promise<void> } | null = null;
  let started = false;
  let stopped = false;
  let sleep: (() => void) | null = null;
  let cancelLook = () => {};

  const ports: RunPorts = {
    ...{ records, contents, places, clock, log, ownerOf },
    ...{ inference: options.inference, rateLimits: options.rateLimits, engineBuild: options.engineBuild },
    ...{ mostLineBytes: options.mostLineBytes, atOnce: settings.atOnce },
  };

  function ownerOf({ callerKind, keyId }: Batch): Caller | null {
    if (keyId !== null) return options.callerOf(keyId);
    if (callerKind === "keyless") return options.keyless ? keylessCaller : null;
    return { kind: "admin", keyId: null, name: "admin" };
  }

  function fail(id: string, code: string, message: string): void {
    records.change(id, {
      status: "failed",
      errors: [{ line: null, code, message, param: null }],
      endedAtMs: clock.now(),
    });
  }

  /** Starts and ends whatever is due. Harmless at any time. */
  function look(): void {
    if (!started || stopped) return;
    try {
      const busy = new Set([...runs.values()].map(({ batch }) => batch.caller));
      for (const batch of records.open()) {
        if (batch.status === "validating") judge(batch);
        else step(batch, busy);
      }
    } catch (err) {
      log.error({ err }, "batches could not be looked at");
    }
    const isBusy = judging !== null || runs.size > 0;
    if (isBusy) sleep ??= options.begin();
    else {
      sleep?.();
      sleep = null;
    }
  }

  function step(batch: Batch, busy: Set<string>): void {
    const ending = endingOf(batch);
    const run = runs.get(batch.id);
    if (run !== undefined) {
      if (ending !== null) run.end(ending);
      return;
    }
    // One that is to end has nothing to wait for.
    if (ending === null && (busy.has(batch.caller) || runs.size >= mostRuns)) return;
    busy.add(batch.caller);
    const begun = new Run(batch, ports, ending);
    runs.set(batch.id, begun);
    void begun.over.then(() => {
      runs.delete(batch.id);
      look();
    });
  }

  function endingOf(batch: Batch): "cancelled" | "expired" | "key_ended" | null {
    if (ownerOf(batch) === null) return "key_ended";
    if (batch.status === "cancelling") return "cancelled";
    return clock.now() >= batch.expiresAtMs ? "expired" : null;
  }

  /** One file at a time: reading is the server's own work, and a large file is much of it. */
  function judge(batch: Batch): void {
    if (judging !== null) return;
    const stop = new AbortController();
    const over = judged(batch, stop.signal).catch((err: unknown) => {
      log.error({ batch: batch.id, err }, "an input file could not be read");
      fail(batch.id, "unreadable_file", "The input file could not be read; it may have expired. Upload it again.");
    });
    judging = { id: batch.id, stop, over };
    void over
      .catch((err: unknown) => log.error({ batch: batch.id, err }, "a batch could not be written down"))
      .then(() => {
        judging = null;
        look();
      });
  }

  async function judged({ id, inputFile, endpoint }: Batch, signal: AbortSignal): Promise<void> {
    const { problems, lines } = await judgeFile(contents.path(inputFile), endpoint, options.mostLineBytes, signal);
    if (signal.aborted) return;
    if (problems.length > 0) {
      records.change(id, { status: "failed", errors: problems, endedAtMs: clock.now() });
      return;
    }
    const names = { outputFile: newFileId(), errorFile: newFileId() };
    records.change(id, { status: "in_progress", total: lines, startedAtMs: clock.now(), ...names });
  }

  function sweep(): void {
    try {
      files.removeExpired();
      records.removeEnded(clock.now() - Math.max(keepMs, windowMs));
    } catch (err) {
      log.error({ err }, "expired files could not be removed");
    }
  }

  function tick(): void {
    sweep();
    look();
    cancelLook = clock.after(lookEveryMs, tick);
  }

  function batch(caller: Caller, id: string): Batch {
    const found = records.batch(callerId(caller), id);
    if (found === null) throw noSuch("batch", id);
    return found;
  }

  return {
    ...files.served,
    create(caller, { inputFile, endpoint, metadata, outputKeepMs }, wishes) {
      if (keepMs === 0) throw new Failure("forbidden", "This server runs no batches: batch.keepDays is 0.");
      const owner = callerId(caller);
      files.checkInput(owner, inputFile);
      if (records.open().filter((one) => one.caller === owner).length >= mostOpen) {
        throw new Failure(
          "queue_full",
          `You have ${mostOpen} batches that are not over yet. Wait for one, or cancel it.`,
        );
      }
      const nowMs = clock.now();
      const added = records.add({
        ...{ id: newBatchId(), caller: owner, callerKind: caller.kind, keyId: caller.keyId, endpoint, inputFile },
        ...{ outputFile: null, errorFile: null, status: "validating", errors: [], metadata, wishes, usage: noUsage },
        ...{ outputKeepMs: Math.min(keepMs, outputKeepMs ?? keepMs), total: 0, completed: 0, failed: 0 },
        ...{ createdAtMs: nowMs, expiresAtMs: nowMs + windowMs },
        ...{ startedAtMs: null, endedAtMs: null, cancellingAtMs: null },
      });
      look();
      return added;
    },
    batches: (caller) => records.batches(callerId(caller)),
    batch,
    cancel(caller, id) {
      const known = batch(caller, id);
      if (isOver(known)) {
        throw new Failure(
          "invalid_request",
          `This batch is ${known.status}: only one that is not over can be cancelled.`,
        );
      }
      const nowMs = clock.now();
      if (known.status === "validating") {
        if (judging?.id === id) judging.stop.abort();
        records.change(id, { status: "cancelled", cancellingAtMs: nowMs, endedAtMs: nowMs });
      } else if (known.status !== "cancelling") records.change(id, { status: "cancelling", cancellingAtMs: nowMs });
      look();
      return batch(caller, id);
    },
    forget(owner) {
      for (const open of records.open()) {
        if (open.caller !== owner) continue;
        if (judging?.id === open.id) judging.stop.abort();
        const run = runs.get(open.id);
        if (run === undefined) fail(open.id, "key_ended", keyEnded);
        else run.end("key_ended");
      }
      files.removeAllOf(owner);
    },
    besides: (begin) => () => {
      const ends = [begin(), places.arrived()];
      return () => {
        for (const end of ends) end();
      };
    },
    start() {
      started = true;
      tick();
    },
    async stop() {
      stopped = true;
      cancelLook();
      judging?.stop.abort();
      for (const run of runs.values()) run.end("pause");
      const all = Promise.all([judging?.over.catch(() => {}), ...[...runs.values()].map(({ over }) => over)]);
      let cancel = () => {};
      const patience = new Promise<void>((resolve) => {
        cancel = clock.after(mostStopMs, resolve);
      });
      // A kill is no worse: what is not written down runs again.
      await Promise.race([all, patience]);
      cancel();
      sleep?.();
      sleep = null;
    },
  };
}
