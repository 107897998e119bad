/**
 * A served process from start to exit code: settings, appliance, signals, drain. Called by `lanthorn serve`, in that process.
 * It owns SIGINT and SIGTERM and never calls process.exit itself, except as the last backstop of a stop that hangs.
 */
import { adminKeyFromEnvironment } from "./access/admin-key.ts";
import { type Appliance, createAppliance } from "./appliance.ts";
import { type FlagSetting, loadConfig } from "./config/load.ts";
import { asFailure, type Failure } from "./domain/failure.ts";
import type { ServedModel } from "./domain/model.ts";
import { claimDataFolder } from "./platform/claim.ts";
import { systemClock } from "./platform/clock.ts";
import { dataFolderInUse } from "./platform/data-lock.ts";
import { createLog } from "./platform/log.ts";
import { createDataFolder, dataPaths } from "./platform/paths.ts";
import { createSecretWords } from "./platform/secret-words.ts";
import { productVersion } from "./platform/version.ts";

export interface ServeOptions {
  /** Settings given as flags; `--lan` arrives as host `0.0.0.0`. */
  readonly flags: readonly FlagSetting[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  /** `--lan` was given: on a terminal the first admin key is made and shown once. */
  readonly lan: boolean;
  /** Absolute; null: not given. */
  readonly firstKeyFile: string | null;
  /** A person sits at a terminal and reads what is printed. */
  readonly terminal: boolean;
  /** Exactly once, when `/ready` answers. */
  onReady(ready: ServeReady): void;
  /** Instead of `onReady`: a server of this data folder runs already, and answered just now. */
  onRunning(running: ServeRunning): void;
  /** At most once, before any of the others: somebody else holds the data folder and is not ready; that is waited for. */
  onWaiting(): void;
  /** At most once, after `onReady`: what is rented for this box at markets without anybody looking after it. */
  onOrphans(found: { readonly orphans: readonly unknown[]; readonly unread: readonly string[] }): void;
  /** At most once, before a non-zero exit code. */
  onFailure(failure: Failure): void;
  /** A drain begins; the reason is for people. */
  onStopping(reason: string): void;
}

/** Facts at the moment the server is ready. Plain data: the command line words and prints them. */
export interface ServeReady {
  /** For a client on this machine. */
  readonly url: string;
  /** Reachable from others; empty when loopback only. */
  readonly lanUrls: readonly string[];
  /** SHA-256 of the certificate; null: plain HTTP. */
  readonly fingerprint: string | null;
  readonly pid: number;
  readonly homeFolder: string;
  readonly version: string;
  readonly models: readonly ServedModel[];
  readonly refusedModels: readonly { readonly fileName: string; readonly reason: string }[];
  /** Made in this very start, to be shown once; else null. */
  readonly adminKeyOnce: string | null;
  /** Where the admin key can be read; null: nowhere on disk. */
  readonly adminKeyFile: string | null;
  readonly keylessAllowed: boolean;
  /** Addresses from outside, as a market maps them; empty: not known, or not rented. */
  readonly publicUrls: readonly string[];
  /** Where this machine is rented and when it ends itself; null: it is not rented. */
  readonly rental: string | null;
  readonly warnings: readonly string[];
  /** What is rented, and what it costs an hour; null: no market is set up. */
  readonly rentals: { readonly costing: number; readonly perHourNanos: number } | null;
}

/** The server that has this data folder. */
export type ServeRunning = Pick<ServeReady, "url" | "pid" | "fingerprint" | "homeFolder">;

export type ServeExitCode = 0 | 1 | 78 | 130;

/** What a drain may take beyond its grace period before the process ends whatever still hangs. Milliseconds. */
const backstopMs = 8_000;
/** On a rented machine: its market sends SIGKILL 5 s after SIGTERM, and what hangs must not cost what is written by then. */
const rentalBackstopMs = 1_700;

/** How long the look for orphans after a start may take. */
const orphanLookMs = 60_000;

interface StopRequest {
  readonly reason: string;
  readonly exitCode: 0 | 130;
  /** Without waiting for running answers. */
  readonly now: boolean;
  /** For running answers; absent: as the settings say. Milliseconds. */
  readonly graceMs?: number;
  /** When the server has stopped; ends early when `signal` does. */
  readonly afterwards?: (signal: AbortSignal) => Promise<void>;
}

/** Serves until stopped: 0 asked to stop or running already, 130 Ctrl-C, 78 cannot start as asked, 1 failed. Never throws. */
export async function serve(options: ServeOptions): Promise<ServeExitCode> {
  const stopping = new StopSignal();
  const onInterrupt = () => stopping.ask({ reason: "Ctrl-C", exitCode: 130, now: false });
  const onTerminate = () => stopping.ask({ reason: "SIGTERM", exitCode: 0, now: false });
  const onParentGone = () => stopping.ask({ reason: "the program that started it is gone", exitCode: 0, now: false });
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onTerminate);
  process.on("disconnect", onParentGone);
  try {
    const begun = await start(options, stopping);
    if (begun === null) return 0;
    const request = await stopping.first;
    options.onStopping(request.reason);
    await drain(begun, request, stopping);
    return request.exitCode;
  } catch (thrown) {
    const failure = asFailure(thrown);
    options.onFailure(failure);
    return failure.code === "cannot_start" ? 78 : 1;
  } finally {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onTerminate);
    process.off("disconnect", onParentGone);
  }
}

/** Null: a server of this data folder runs already. */
async function start(options: ServeOptions, stopping: StopSignal): Promise<Appliance | null> {
  const { environment } = options;
  const paths = dataPaths(environment);
  const config = loadConfig({
    file: paths.config,
    environment,
    flags: options.flags,
    workingFolder: options.workingFolder,
  });
  createDataFolder(paths);
  const claim = await claimDataFolder(paths, { onWaiting: options.onWaiting });
  if (claim.kind === "running") {
    const { url, pid, fingerprint = null } = claim.server;
    options.onRunning({ url, pid, fingerprint, homeFolder: paths.home });
    return null;
  }
  if (claim.kind === "in-use") throw dataFolderInUse(claim.holder);
  const secrets = createSecretWords();
  const log = createLog({ level: config.values.log.level, hide: secrets.hide });
  const appliance = await createAppliance(
    {
      config,
      paths,
      environmentAdminKey: adminKeyFromEnvironment(environment),
      firstKeyFile: options.firstKeyFile,
      terminal: options.terminal,
      lan: options.lan,
      lock: claim.lock,
      onIdle: (reason) => stopping.ask({ reason, exitCode: 0, now: false }),
      onRentalEnd: ({ reason, finishMs, carryOut }) =>
        stopping.ask({ reason, exitCode: 0, now: false, graceMs: finishMs, afterwards: carryOut }),
      onStopAsked: ({ now }) => stopping.ask({ reason: "asked by lanthorn stop", exitCode: 0, now }),
    },
    { clock: systemClock, log, secrets, environment },
  );
  const { started } = appliance;
  options.onReady({
    url: started.url,
    lanUrls: started.lanUrls,
    fingerprint: started.fingerprint,
    pid: process.pid,
    homeFolder: paths.home,
    version: productVersion(),
    models: started.models,
    refusedModels: started.refusedModels,
    adminKeyOnce: started.adminKeyOnce,
    adminKeyFile: started.adminKeyFile,
    keylessAllowed: started.keylessAllowed,
    publicUrls: started.rented.publicUrls,
    rental: started.rented.line,
    warnings: [...config.warnings, ...started.rented.warnings],
    rentals: started.rentals?.summary() ?? null,
  });
  void lookForOrphans(started.rentals, options);
  return appliance;
}

/** Asks the markets once. One that does not answer is no reason to say more than that. */
async function lookForOrphans(rentals: Appliance["started"]["rentals"], options: ServeOptions): Promise<void> {
  const found = await rentals?.orphans(AbortSignal.timeout(orphanLookMs)).catch(() => null);
  if (found != null && found.orphans.length + found.unread.length > 0) options.onOrphans(found);
}

/** Ends everything in order; a second request to stop cuts running answers, and the backstop ends what hangs. */
async function drain(appliance: Appliance, request: StopRequest, stopping: StopSignal): Promise<void> {
  const { isRental, graceMs } = appliance.started.rented;
  const allowedMs = request.now ? 0 : (request.graceMs ?? graceMs);
  const { reason, afterwards } = request;
  let isStopped = false;
  const hung = new Promise<void>((resolve) => {
    systemClock.after(allowedMs + (isRental ? rentalBackstopMs : backstopMs), () => {
      // What is still to do has to be done whatever hangs.
      if (afterwards !== undefined) resolve();
      else if (!isStopped) process.exit(1);
    });
  });
  stopping.onAgain = () => void appliance.stop(0);
  await Promise.race([hung, appliance.stop(allowedMs, reason)]);
  isStopped = true;
  if (afterwards === undefined) return;
  const again = new AbortController();
  stopping.onAgain = () => again.abort(new Error("asked to end"));
  await afterwards(again.signal);
  // Whatever hung holds the process.
  systemClock.after(backstopMs, () => process.exit(request.exitCode));
}

/** Requests to stop: the first starts the drain, every later one hurries it. */
class StopSignal {
  readonly first: Promise<StopRequest>;
  onAgain: (() => void) | null = null;
  #resolve: (request: StopRequest) => void = () => {};
  #asked = false;

  constructor() {
    this.first = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  ask(request: StopRequest): void {
    if (this.#asked) this.onAgain?.();
    this.#asked = true;
    this.#resolve(request);
  }
}
