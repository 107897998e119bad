/**
 * The composition root: with `gateway.ts`, its half between request and answer, the only file that knows every room. Runs in the
 * server process; nothing happens on import.
 * It joins ports to rooms and starts and stops them in order; what a room does is written in the room.
 */
import { Server as TlsServer } from "node:https";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import { createContentIds } from "../models/content-id.ts";
import { ensureDemoModel } from "../models/demo/file.ts";
import { openDownloads } from "../models/download/downloads.ts";
import { readHubSettings } from "../models/download/hub/endpoint.ts";
import { openFitLessons } from "../models/fit-lessons.ts";
import { openPreload, preloadEntry } from "../models/preload.ts";
import { listModels } from "../models/store.ts";
import { createAccess } from "./access/access.ts";
import { firstKeyOf } from "./access/first-key.ts";
import { admissionAtStart, carryOutAdmission, readAdminKey, writeAdminKey } from "./access/admin-key.ts";
import { keylessAllowed } from "./access/authenticate.ts";
import type { Budgets } from "./access/budgets.ts";
import type { Keyring } from "./access/keyring.ts";
import { isLivingGroup } from "./access/living-group.ts";
import type { RateLimits } from "./access/rate-limits.ts";
import type { Backend } from "./backends/backend.ts";
import type { Batches } from "./batch/batches.ts";
import { createEngine, type Engine } from "./backends/engine/engine.ts";
import type { StartWorker } from "./backends/engine/worker-link.ts";
import { engineBuild } from "./backends/engine/build.ts";
import { createKvStore, type KvStore, kvStoreMode } from "./backends/engine/kv-store/kv-store.ts";
import { machinePlan } from "./backends/engine/machine-plan.ts";
import { preparerStarter, workerStarter } from "./backends/engine/start-process.ts";
import type { ResolvedConfig } from "./config/load.ts";
import { listSettings } from "./config/show.ts";
import { callerIdOfKey, groupOfKey } from "./domain/caller.ts";
import type { ServedModel } from "./domain/model.ts";
import type { PlanLoad } from "./domain/fit/load-plan.ts";
import type { HardwareView } from "./domain/hardware.ts";
import type { StoredResponses } from "./domain/stored-response.ts";
import type { BoxEvent, Clock, Log } from "./domain/ports.ts";
import { capacityOf } from "./domain/residency/memory.ts";
import { machineOf } from "./hardware/machine.ts";
import { openPowerMeter } from "./hardware/power-meter.ts";
import { roomForModels } from "./hardware/room.ts";
import { startHardwareSampler } from "./hardware/sampler.ts";
import type { Tools } from "./hardware/run/tools.ts";
import { type GatewayParts, openGateway } from "./gateway.ts";
import { httpTiming } from "./http/deps.ts";
import { createHttp, type Http } from "./http/http.ts";
import { countedDownloads } from "./idle/activity.ts";
import { createIdle, type Idle } from "./idle/idle.ts";
import { type Ledger, openLedger } from "./ledger/ledger.ts";
import { boxId } from "./platform/box-id.ts";
import { type DataLock, dataFolderInUse, takeDataLock } from "./platform/data-lock.ts";
import { newToolCallId } from "./platform/ids.ts";
import { type Announcer, startAnnouncer } from "./platform/lan/announce.ts";
import { announceAddresses, shouldAnnounce } from "./platform/lan/should-announce.ts";
import { readSurroundings } from "./platform/lan/surroundings.ts";
import { bindFacts, listen, reachableUrls } from "./platform/listen.ts";
import { createDataFolder, type DataPaths } from "./platform/paths.ts";
import { createSecretWords, type SecretWords } from "./platform/secret-words.ts";
import { removeServerFile, writeServerFile } from "./platform/server-file.ts";
import { openTls } from "./platform/tls/tls.ts";
import { caFilePath } from "./platform/upstream/authorities.ts";
import { createUpstreamFetch } from "./platform/upstream/upstream-fetch.ts";
import { productFolder, productVersion } from "./platform/version.ts";
import { openRentalRoom } from "./rental/open-rental-room.ts";
import type { RentalDesk } from "./rental/rental-desk.ts";
import type { Rentals, RentalsParts } from "./rental/wake/open-rentals.ts";
import { openRented, type Rented, type RentalEnd } from "./rental/rented/rented.ts";
import type { AnswerCache } from "./router/answer-cache.ts";
import type { Router } from "./router/router.ts";

export interface ApplianceOptions {
  readonly config: ResolvedConfig;
  readonly paths: DataPaths;
  /** The admin key from the environment; null: not given. */
  readonly environmentAdminKey: string | null;
  readonly firstKeyFile: string | null;
  /** A person sits at a terminal and sees what is printed. */
  readonly terminal: boolean;
  readonly lan: boolean;
  /** The data folder's lock when the caller holds it already; given back when the appliance stops. */
  readonly lock?: DataLock;
  /** Asked to stop from outside, by `POST /admin/stop`. */
  onStopAsked(request: { readonly now: boolean }): void;
  /** `idle.whenIdle: exit`: nobody needs the box any more. Absent: it stays. */
  onIdle?(reason: string): void;
  /** This machine ends its own rental: the server is to stop first. Absent: it only says so. */
  onRentalEnd?(end: RentalEnd): void;
}

export interface AppliancePorts {
  readonly clock: Clock;
  readonly log: Log;
  /** How engine workers are started; tests may watch or replace it. */
  readonly startWorker?: StartWorker;
  /** How each model is loaded and what it takes; by a rule of thumb when absent. */
  readonly plan?: PlanLoad;
  /** What answers, made from the engine; the engine alone when absent. Tests put a scripted model before it. */
  readonly backends?: (engine: Engine) => readonly Backend[];
  /** Rented targets; none when absent. */
  readonly rented?: (parts: Pick<RentalsParts, "clock" | "log" | "upstream"> & Pick<GatewayParts, "onStop">) => Rentals;
  /** What is asked about the hardware; this machine's tools when absent. */
  readonly tools?: Tools;
  /** Told of every secret of others, so that the log can take it out. */
  readonly secrets?: SecretWords;
  /** Where keys of providers and of sealing come from; the process' own environment when absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** How long models that were asked for by name wait for the first look at the hardware: a driver that hangs takes minutes. */
const mostLookMs = 10_000;

/** Facts of a running box, for whoever started it. */
export interface Started {
  readonly url: string;
  readonly lanUrls: readonly string[];
  /** SHA-256 of the certificate; null: plain HTTP. */
  readonly fingerprint: string | null;
  readonly models: readonly ServedModel[];
  readonly refusedModels: readonly { readonly fileName: string; readonly reason: string }[];
  readonly adminKeyOnce: string | null;
  readonly adminKeyFile: string | null;
  readonly keylessAllowed: boolean;
  readonly routes: Http["routes"];
  readonly rentals: Pick<RentalDesk, "summary" | "orphans"> | null;
  /** What this machine is when it is a rented one. */
  readonly rented: Pick<Rented, "isRental" | "publicUrls" | "line" | "warnings" | "graceMs">;
}

export interface Appliance {
  readonly started: Started;
  /** Drains within `graceMs`, ends the workers, closes the ledger. A second call cuts running answers at once. `reason`: for home. */
  stop(graceMs: number, reason?: string): Promise<void>;
}

/** Starts everything; throws Failure `cannot_start` and leaves nothing running when it cannot. */
export async function createAppliance(options: ApplianceOptions, ports: AppliancePorts): Promise<Appliance> {
  const { config, paths } = options;
  const { clock, log } = ports;
  const settings = config.values;
  const undo: (() => void | Promise<void>)[] = [];
  const undoAll = async () => {
    for (const step of undo.reverse()) await step();
  };

  try {
    createDataFolder(paths);
    const lock = options.lock ?? lockDataFolder(paths);
    undo.push(() => lock.release());

    const ledger: Ledger = openLedger(paths.ledger, { clock, log, keepDays: settings.usage.keepDays });
    undo.push(() => ledger.close());
    if (ledger.recovered > 0)
      log.warn({ requests: ledger.recovered }, "closed requests that a killed server left open");

    const bind = { ...bindFacts(settings.host), headless: settings.headless };
    const { environmentAdminKey } = options;
    const access = createAccess({ keys: ledger.keys, clock, bind, auth: settings.auth, environmentAdminKey });
    const admission = admissionAtStart({
      ...bind,
      hasAdminKey: access.keyring.hasAdminKey(),
      environmentKey: environmentAdminKey !== null,
      terminal: options.terminal,
      lan: options.lan,
      firstKeyFile: options.firstKeyFile !== null,
    });
    const { printOnce } = carryOutAdmission(admission, {
      keyring: access.keyring,
      adminKeyFile: paths.adminKey,
      firstKeyFile: options.firstKeyFile,
    });

    const secrets = ports.secrets ?? createSecretWords();
    const environment = ports.environment ?? process.env;
    const rented = openRented({
      ...{ settings, environment, clock, log, fingerprint: () => fingerprint(), knowSecret: secrets.add },
      caFile: caFilePath(settings.network.caFile, paths.home),
      firstKey: firstKeyOf(environment, access.keyring),
      end: (end) => options.onRentalEnd?.(end),
    });
    undo.push(() => rented.close());
    const { hosts } = rented;
    const tls = await openTls({ settings: settings.tls, paths, hosts, clock, log });
    const fingerprint = () => tls?.material().fingerprint ?? null;
    const box = boxId(paths.home);

    await ensureDemoModel(paths.models);
    const entry = preloadEntry(settings.preload);
    const entries = entry === null ? settings.models : [...settings.models, entry];
    const readModels = () => listModels({ folder: paths.models, entries });
    const listing = await readModels();
    for (const refusal of listing.refusals) log.warn(refusal, "model refused");

    const listeners = new Set<(event: BoxEvent) => void>();
    const inMemory = new Set<string>();
    const publish = (event: BoxEvent) => {
      if (event.type === "model") {
        if (event.model.workerPid === null) inMemory.delete(event.model.id);
        else inMemory.add(event.model.id);
        powerMeter?.sawModel(event.model);
      }
      preload.saw(event);
      for (const listener of listeners) listener(event);
    };
    const engineSettings = {
      ...settings.engine,
      threads: settings.engine.threads === "auto" ? null : settings.engine.threads,
      context: settings.engine.context === "auto" ? null : settings.engine.context,
      keepAliveMs: settings.engine.keepAliveMs === "always" ? null : settings.engine.keepAliveMs,
    };
    const memoryLimit = settings.engine.memoryLimit === "auto" ? null : settings.engine.memoryLimit;
    const room = roomForModels(memoryLimit);
    const lessons = openFitLessons(paths.fitLessons);
    const build = engineBuild();
    const planned = machinePlan({
      settings: engineSettings,
      machine: room.machine,
      lessons: {
        correctionsFor: (architecture) => lessons.correctionsFor(architecture, build),
        note: (architecture, ...bytes) => lessons.note(architecture, build, ...bytes),
      },
      log,
    });
    /** What a look at the hardware changes for those who plan with it. */
    const looked = (view: HardwareView) => {
      if (!room.saw(view, inMemory.size > 0)) return;
      const machine = room.machine();
      if (machine !== null) engine.setCapacity(capacityOf(machine));
    };
    const hardware = startHardwareSampler({
      modelsFolder: paths.models,
      ...settings.hardware,
      clock,
      log,
      ...(ports.tools === undefined ? {} : { tools: ports.tools }),
      onChange: (view) => {
        looked(view);
        publish({ type: "hardware", hardware: view });
      },
    });
    undo.push(() => hardware.stop());
    const powerMeter = openPowerMeter(settings, ledger.power, hardware, clock);
    undo.push(() => powerMeter?.stop());
    const kvStore = createKvStore({
      mode: kvStoreMode(settings.engine.kvStore, readSurroundings(process.env)),
      memoryBytes: settings.engine.snapshotBytes,
      storeBytes: settings.engine.kvStoreBytes,
      folder: paths.kv,
      contentId: createContentIds().of,
      build,
      keepsGroup: (group) => isLivingGroup(group, access.keyring, clock.now()),
      log,
    });
    undo.push(() => kvStore.close());
    const engine = createEngine({
      files: listing.files,
      settings: engineSettings,
      capacity: capacityOf(machineOf(hardware.view(), memoryLimit)),
      ports: {
        clock,
        log,
        publish,
        newToolCallId,
        startWorker: ports.startWorker ?? workerStarter(log),
        startPreparer: preparerStarter(log),
        kvStore,
        plan: ports.plan ?? planned.plan,
        learn: planned.learn,
        gpus: hardware,
      },
    });
    undo.push(() => engine.close(0));
    const idle = createIdle({
      settings: { ...settings.idle, whenIdle: rented.whenIdle },
      clock,
      log,
      nextUnloadMs: () => engine.nextUnloadMs(),
      exit: (reason) => options.onIdle?.(reason),
      endRental: rented.end,
    });
    undo.push(() => idle.stop());
    const upstream = createUpstreamFetch({
      environment: process.env,
      caFile: caFilePath(settings.network.caFile, paths.home),
    });
    undo.push(() => upstream.close());
    const countDownload = countedDownloads(idle.begin);
    const readModelsAgain = async () => {
      engine.setFiles((await readModels()).files);
      kvStore.sweep();
      preload.look();
    };
    const downloads = openDownloads({
      home: paths.home,
      modelsFolder: paths.models,
      settings: settings.downloads,
      hub: () => readHubSettings(settings.hub.endpoint, process.env),
      upstream,
      clock,
      log,
      goOn: true,
      publish: (download) => {
        countDownload(download);
        publish({ type: "download", download });
      },
      onFiles: () => void readModelsAgain().catch((err: unknown) => log.error({ err }, "models could not be listed")),
    });
    undo.push(() => downloads.close());
    // Not before the hardware was looked at: a plan made without it might not be the one to keep for hours.
    const lookedLongEnough = new Promise<void>((done) => clock.after(mostLookMs, done));
    const lookedOnce = Promise.race([hardware.looked, lookedLongEnough]);
    const preload = openPreload(settings.preload, {
      ...{ served: () => engine.served(), downloads, clock, log },
      load: async (alias) => {
        await lookedOnce;
        engine.preload(alias);
        return engine.model(alias);
      },
    });
    const onStop = (step: () => void | Promise<void>) => void undo.push(step);
    const roomParts = { settings, ledger, upstream, environment, home: paths.home, box, clock, log, publish, onStop };
    const rentalRoom = ports.rented === undefined ? openRentalRoom({ ...roomParts, knowSecret: secrets.add }) : null;
    const gateway = openGateway({
      ...{ config, paths, clock, log, publish, ledger, access, engine, idle, upstream, powerMeter, bind, build },
      ...{ onStop, environment, secrets },
      backends: ports.backends?.(engine) ?? [engine],
      rented: ports.rented?.({ clock, log, upstream, onStop }) ?? rentalRoom?.rented ?? null,
    });
    const { answers, batches, budgets, metrics, rateLimits, routeDesk, router } = gateway;

    let isReady = true;
    let stopped: Promise<void> | null = null;
    const startedAtMs = clock.now();
    const version = productVersion();
    const folder = productFolder();
    let url = "";
    const http = createHttp({
      inference: gateway.inference,
      routing: router,
      routeDesk,
      access: {
        ...access,
        authenticate: (request) => rented.saw(access.authenticate(request)),
        keyring: forgetting(
          withKeyFile(access.keyring, paths.adminKey),
          engine,
          kvStore,
          answers,
          ledger.responses,
          batches,
        ),
      },
      rateLimits,
      budgets,
      downloads,
      providers: gateway.providers,
      rentals: rentalRoom?.desk ?? null,
      reports: ledger.reports,
      bills: gateway.bills,
      money: gateway.money,
      responses: ledger.responses,
      feedback: ledger.feedback,
      batches,
      rental: {
        notice: rentalRoom?.notice ?? null,
        heartbeats: rented.heartbeats,
        proof: tls === null || !rented.isRental ? null : rented.proof,
      },
      ...(rented.isRental ? { timing: { ...httpTiming, partingMs: 500 } } : {}),
      settings: { ...settings.http, hosts, keepResponsesMs: settings.responses.keepDays * 86_400_000 },
      clock,
      log,
      tls: tls?.material() ?? null,
      fingerprint,
      boxId: box,
      boxState: async () => {
        const facts = { name: hostname(), version, url, fingerprint: fingerprint(), pid: process.pid, startedAtMs };
        const far = { publicUrls: rented.publicUrls, rental: rented.view(), preload: preload.view() };
        const state = await boxState(engine, router, rateLimits, budgets, idle, { ...facts, ...far });
        return { ...state, rented: gateway.rented() };
      },
      models: {
        ...engine,
        rescan: async () => {
          await readModelsAgain();
          return engine.served().map(({ alias }) => alias);
        },
      },
      stayAwake: (untilMs) => {
        idle.stayAwake(untilMs);
        return idle.view();
      },
      metrics: () => metrics.scrape(),
      hardware: () => hardware.view(),
      configuration: () => listSettings({ ...config, values: { ...settings, routes: routeDesk.settings() } }),
      readiness: () => (isReady ? preload.readiness() : { ready: false, reason: "shutting down" }),
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      stop: options.onStopAsked,
      version,
      engineBuild: build,
      pageFolder: folder === null ? null : join(folder, "dist", "renderer"),
    });
    const port = await listen(http.server, settings.host, settings.port, box);
    undo.push(() => http.close(0));
    if (tls !== null && http.server instanceof TlsServer) undo.push(tls.keepFresh(http.server));
    const reachable = reachableUrls(settings.host, port, tls === null ? "http" : "https");
    url = reachable.url;
    const pinned = tls === null ? {} : { fingerprint: tls.material().fingerprint };
    writeServerFile(paths.serverFile, { pid: process.pid, url, startedAtMs, ...pinned });
    undo.push(() => removeServerFile(paths.serverFile));
    let announcer: Announcer | null = null;
    const announcing = shouldAnnounce({ setting: settings.announce, ...bind, ...readSurroundings(process.env) });
    if (announcing.announce) {
      announcer = startAnnouncer({
        announcement: () => ({ name: hostname(), box, version, fingerprint: fingerprint(), keyNeeded: true }),
        port,
        addresses: () => announceAddresses(settings.host, networkInterfaces()),
        clock,
        log,
      });
    } else if (announcing.reason !== null) log.info({ reason: announcing.reason }, "not announced on the LAN");
    undo.push(() => announcer?.stop());
    batches.start();
    preload.look();
    // What was asked for by name is loaded at once; what merely lies in the folder waits for its first request.
    void lookedOnce.then(() => {
      for (const file of listing.files) if (file.preload ?? file.asked) engine.preload(file.alias);
    });

    return {
      started: {
        url,
        lanUrls: reachable.lanUrls,
        fingerprint: fingerprint(),
        models: engine.served(),
        refusedModels: listing.refusals,
        adminKeyOnce: printOnce,
        adminKeyFile: adminKeyFile(paths, options.firstKeyFile),
        keylessAllowed: keylessAllowed(bind, settings.auth),
        routes: http.routes,
        rentals: rentalRoom?.desk ?? null,
        rented,
      },
      stop: (graceMs, reason = "stopping") => {
        isReady = false;
        rented.leaving(reason);
        // First of all, so that nobody is sent here any more while running answers finish.
        void announcer?.stop();
        // Called again while it runs, this only tells the HTTP room to cut what it still waits for.
        const closed = http.close(graceMs);
        stopped ??= closed.then(undoAll);
        return stopped;
      },
    };
  } catch (thrown) {
    await undoAll();
    throw thrown;
  }
}

function lockDataFolder(paths: DataPaths): DataLock {
  const outcome = takeDataLock(paths);
  if (!outcome.taken) throw dataFolderInUse(outcome.holder);
  return outcome.lock;
}

/** `GET /admin/state`, in the shape of docs/api.md. */
async function boxState(
  engine: Engine,
  router: Router,
  rateLimits: RateLimits,
  budgets: Pick<Budgets, "heldNanos" | "list">,
  idle: Idle,
  box: object,
): Promise<object> {
  const models = await engine.models();
  return {
    box,
    models,
    queue: engine.queue(),
    targets: router.state(),
    rateLimited: rateLimits.refusals(),
    held: budgets.heldNanos(),
    budgets: budgets.list(),
    idle: idle.view(),
    rss: process.memoryUsage.rss(),
  };
}

/** Where a person can read the admin key; null: nowhere on disk (it came from the environment, or was shown once). */
function adminKeyFile(paths: DataPaths, firstKeyFile: string | null): string | null {
  return [firstKeyFile, paths.adminKey].find((file) => file !== null && readAdminKey(file) !== null) ?? null;
}

/** With a key goes what was computed or kept for nobody else. */
function forgetting(
  keyring: Keyring,
  engine: Pick<Engine, "forget">,
  kvStore: Pick<KvStore, "dropGroup">,
  answers: Pick<AnswerCache, "forget">,
  responses: Pick<StoredResponses, "forget">,
  batches: Pick<Batches, "forget">,
): Keyring {
  return {
    ...keyring,
    revoke: (id) => {
      const row = keyring.revoke(id);
      answers.forget(callerIdOfKey(id));
      responses.forget(callerIdOfKey(id));
      batches.forget(callerIdOfKey(id));
      if (row?.isolate) {
        engine.forget(groupOfKey(id));
        kvStore.dropGroup(groupOfKey(id));
      }
      return row;
    },
  };
}

/** A new admin key is also the one that this box's own command line and shell read from the data folder. */
function withKeyFile(keyring: Keyring, file: string): Keyring {
  return {
    ...keyring,
    resetAdmin: () => {
      const created = keyring.resetAdmin();
      writeAdminKey(file, created.secret);
      return created;
    },
  };
}
