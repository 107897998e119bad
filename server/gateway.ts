/**
 * The half of the box between an admitted request and its answer, joined: providers, prices, budgets, routes, limits, the spine and
 * batches over it. Runs in the server process, for `appliance.ts` only; what a room does is written in the room.
 */
import type { Access } from "./access/access.ts";
import { keylessAllowed } from "./access/authenticate.ts";
import type { Budgets } from "./access/budgets.ts";
import { openBudgets } from "./access/open-budgets.ts";
import { createProviderKeyring } from "./access/provider-keyring.ts";
import { createProviderLimits } from "./access/provider-limits.ts";
import { createRateLimits, type RateLimits } from "./access/rate-limits.ts";
import type { Backend } from "./backends/backend.ts";
import type { Bills } from "./backends/cloud/bills/bills.ts";
import { openProviderDesk, type ProviderDesk } from "./backends/cloud/desk.ts";
import type { Engine } from "./backends/engine/engine.ts";
import { localCostOf, metered } from "./backends/metered.ts";
import { type Batches, openBatches } from "./batch/batches.ts";
import type { ResolvedConfig } from "./config/load.ts";
import { writeSetting, writeSettings } from "./config/write.ts";
import { fixedBy } from "./config/written.ts";
import { chosenZone } from "./config/zone-setting.ts";
import { calledDialects } from "./dialects/index.ts";
import type { BoxEvent, Clock, Log } from "./domain/ports.ts";
import { priceBook } from "./domain/pricing/book/index.ts";
import { pricesOfSettings } from "./domain/pricing/override.ts";
import { createPricing } from "./domain/pricing/price-list.ts";
import type { RunningMeter } from "./hardware/power-meter.ts";
import { countedInference } from "./idle/activity.ts";
import type { Idle } from "./idle/idle.ts";
import { createInference, type Inference } from "./inference.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { createMoneyDesk, type MoneyDesk, roomiest } from "./ledger/money-desk.ts";
import { createMetrics, type Metrics } from "./observe/metrics.ts";
import { openMasterKey } from "./platform/master-key.ts";
import type { DataPaths } from "./platform/paths.ts";
import type { SecretWords } from "./platform/secret-words.ts";
import type { UpstreamFetch } from "./platform/upstream/upstream-fetch.ts";
import { keepYoungSpace } from "./platform/young-space.ts";
import type { Rentals, RentedTargetView } from "./rental/wake/open-rentals.ts";
import { type AnswerCache, createAnswerCache } from "./router/answer-cache.ts";
import { createRouteDesk, type RouteDesk } from "./router/route-desk.ts";
import { createRouter, type Router } from "./router/router.ts";

export interface GatewayParts {
  readonly config: ResolvedConfig;
  readonly paths: DataPaths;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly access: Access;
  readonly engine: Engine;
  /** What answers on this box. */
  readonly backends: readonly Backend[];
  /** What answers on rented machines; null: nothing is rented. */
  readonly rented: Rentals | null;
  readonly idle: Idle;
  readonly upstream: UpstreamFetch;
  /** Null: nothing is known of what this box costs. */
  readonly powerMeter: RunningMeter | null;
  readonly bind: Parameters<typeof keylessAllowed>[0];
  /** Of the engine. */
  readonly build: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told of every secret of others, so that the log can take it out. */
  readonly secrets: SecretWords;
  publish(event: BoxEvent): void;
  /** What is to be done when the box stops, last first. */
  onStop(step: () => void | Promise<void>): void;
}

export interface Gateway {
  readonly providers: ProviderDesk;
  readonly bills: Bills;
  readonly money: MoneyDesk;
  readonly budgets: Budgets;
  readonly router: Router;
  readonly routeDesk: RouteDesk;
  readonly answers: AnswerCache;
  readonly rateLimits: RateLimits;
  readonly metrics: Metrics;
  readonly batches: Batches;
  readonly inference: Inference;
  rented(): readonly RentedTargetView[];
}

/** Contacts nobody. Throws Failure `cannot_start` with what is wrong in the settings. */
export function openGateway(parts: GatewayParts): Gateway {
  const { config, paths, clock, log, ledger, access, engine, idle, upstream, powerMeter, bind, build } = parts;
  const { environment, secrets, publish, onStop } = parts;
  const settings = config.values;
  const providers = openProviderDesk({
    clock,
    log,
    upstream,
    dialects: calledDialects,
    random: Math.random,
    settings: settings.providers,
    localOnly: settings.network.localOnly,
    environment,
    home: paths.home,
    keys: createProviderKeyring({
      store: ledger.providerKeys,
      clock,
      masterKey: () => openMasterKey({ environment, file: paths.masterKey }),
    }),
    writeSetting: (id, value) => writeSetting(paths.config, ["providers", id], value),
    knowSecret: secrets.add,
    changed: (id) => router.forgive(id),
  });
  onStop(() => providers.close());
  const { overrides, worstCase } = pricesOfSettings(settings.prices, settings.unknownPrice);
  const pricing = createPricing({ book: priceBook, overrides, worstCase });
  const localModels = () => engine.served().map(({ alias }) => alias);
  const budgets = openBudgets({ settings, paths, ledger, clock, log, publish, pricing, localModels });
  onStop(() => budgets.close());
  const { rented } = parts;
  const here = [...parts.backends.map((backend) => metered(backend, powerMeter)), ...(rented?.backends ?? [])];
  const router = createRouter(providers.beside(here), {
    routes: settings.routes,
    clock,
    pricing,
    budgetLeft: budgets.leftOf,
    billedBy: providers.billedBy,
    away: [...Object.keys(settings.providers), ...Object.keys(settings.rentals)],
  });
  const answers = createAnswerCache({ rules: settings.cache.aliases, maxBytes: settings.cache.maxBytes, clock });
  const routeDesk = createRouteDesk({
    ...{ table: router, settings: settings.routes, file: paths.config, fixedBy: fixedBy(config, "routes"), clock },
    write: (changes) => writeSettings(paths.config, changes),
    taken: () => answers.forgetAll(),
  });
  const rateLimits = createRateLimits(settings.limits, clock);
  const metrics = createMetrics({
    queue: () => engine.queue(),
    ledgerHealthy: () => ledger.writer.healthy(),
    budgets: budgets.list,
    targets: () =>
      router.state().map(({ target, cooldown }) => {
        const coolingMs = cooldown.until === null ? null : Math.max(0, cooldown.until - clock.now());
        return { target, state: cooldown.state, coolingMs };
      }),
  });
  onStop(() => metrics.stop());
  onStop(keepYoungSpace(clock));
  const spine = createInference({
    router,
    ledger: ledger.writer,
    clock,
    log,
    publish,
    pricing,
    answers,
    copies: { startOfDay: budgets.startOfDay, spentSince: ledger.copies.since },
    upstreamOf: providers.billedBy,
    reserve: budgets.reserve,
    ...localCostOf([rented?.cost ?? null, powerMeter]),
    tasks: settings.tasks,
    admitAttempt: createProviderLimits(settings.limits, clock),
    observer: metrics.observer,
  });
  const batches = openBatches({
    settings: settings.batch,
    folder: paths.batch,
    mostLineBytes: settings.http.bodyLimitBytes,
    records: ledger.batches,
    inference: countedInference(spine, idle.begin),
    rateLimits,
    engineBuild: build,
    waiting: () => engine.queue().length,
    callerOf: access.keyring.callerOf,
    keyless: keylessAllowed(bind, settings.auth),
    begin: idle.begin,
    clock,
    log,
  });
  onStop(() => batches.stop());
  const inference = countedInference(spine, batches.besides(idle.begin));

  return {
    ...{ providers, budgets, router, routeDesk, answers, rateLimits, metrics, batches, inference },
    rented: () => rented?.view() ?? [],
    bills: providers.bills({ ours: ledger.reports.billDays }, pricing),
    money: createMoneyDesk({
      ...{ reports: ledger.money, setting: settings.savings, zone: chosenZone(settings.zone), overrides, clock },
      localContext: () => roomiest(engine.served()),
    }),
  };
}
