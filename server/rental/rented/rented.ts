/**
 * What this box is beside serving when somebody's box rented the machine it runs on: how it is reached from outside, who its home is,
 * and when it ends its own rental. On a machine of one's own nearly all of it is empty. Runs in the server process.
 */
import { marketSetting } from "../../config/rental-setting.ts";
import type { Config } from "../../config/schema.ts";
import type { Caller } from "../../domain/caller.ts";
import { Failure } from "../../domain/failure.ts";
import type { Clock, Log } from "../../domain/ports.ts";
import { idleStepOf, stopGraceMs } from "../../domain/rental/dead-man.ts";
import { proofText } from "../../domain/rental/messages.ts";
import { publicPlace } from "../../domain/rental/public-place.ts";
import {
  accountKeyVariables,
  type Environment,
  readThisRental,
  type RentalDeed,
} from "../../domain/rental/this-rental.ts";
import { createUpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";
import { marketTypes } from "../markets/index.ts";
import { sharedSecret } from "../shared-secret.ts";
import { endRental } from "./end-rental.ts";
import { createHeartbeats, type Heartbeats } from "./heartbeat.ts";
import { tellHome } from "./notice.ts";
import { rentalLine, startWarnings } from "./start-words.ts";
import { type Watch, watchHome } from "./watch.ts";

/** This rental is to end: the server stops within `finishMs`, and then `carryOut` asks the market until the machine is gone. */
export interface RentalEnd {
  readonly reason: string;
  readonly finishMs: number;
  carryOut(signal: AbortSignal): Promise<void>;
}

export interface RentedOptions {
  readonly settings: Config;
  readonly environment: Environment;
  /** Absolute, for `network.caFile`; empty: none. */
  readonly caFile: string;
  /** The key that home handed in; null: none. */
  readonly firstKey: { readonly secret: string; readonly keyId: number } | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of every secret, so that the log can take it out. */
  knowSecret(secret: string): void;
  /** SHA-256 of the certificate; null: plain HTTP. */
  fingerprint(): string | null;
  /** Called once. */
  end(order: RentalEnd): void;
}

export interface Rented {
  /** This is a rented machine. */
  readonly isRental: boolean;
  /** Addresses from outside; empty: not known. */
  readonly publicUrls: readonly string[];
  /** `hosts` of the settings and the market's names for this machine. */
  readonly hosts: readonly string[];
  readonly whenIdle: Exclude<Config["idle"]["whenIdle"], "auto">;
  /** How long running answers may take when the server is told to stop. */
  readonly graceMs: number;
  /** For the ready text; null: no rented machine. */
  readonly line: string | null;
  readonly warnings: readonly string[];
  /** Null: home has no public key here. */
  readonly heartbeats: Heartbeats | null;
  /** Proves the certificate to whoever knows the first key; null: there is none of either. */
  proof(nonce: string): { readonly fingerprint: string; readonly proof: string } | null;
  /** A request came in with this caller: home's key is a sign of life. Gives it back. */
  saw(caller: Caller | null): Caller | null;
  /** Ends this rental, once; later calls do nothing. */
  end(deed: RentalDeed, reason: string): void;
  /** The server stops: home is told. Returns at once. */
  leaving(reason: string): void;
  /** For `GET /admin/state`; null: no rented machine. */
  view(): object | null;
  close(): Promise<void>;
}

/** Throws Failure `cannot_start` for settings that do not go together. */
export function openRented(options: RentedOptions): Rented {
  const { settings, environment, caFile, firstKey, clock, log } = options;
  const { thisRental, home, idle, headless } = settings;
  const rental = readThisRental(thisRental, environment);
  const ownKey = rental?.keyVariable == null ? null : (environment[rental.keyVariable]?.trim() ?? null);
  const canEnd = rental !== null && rental.instanceId !== null && ownKey !== null;
  const whenIdle = idleStepOf(idle.whenIdle, { headless, canEnd });
  if (rental === null) refuseRentalWords(settings);
  for (const secret of [ownKey, firstKey?.secret ?? null]) if (secret !== null) options.knowSecret(secret);

  const instance = rental?.instanceId ?? "";
  const place = publicPlace({
    environment,
    market: rental?.market ?? null,
    port: settings.port,
    scheme: settings.tls.mode === "off" ? "http" : "https",
    stated: settings.publicUrl,
  });
  const secret = firstKey === null ? null : sharedSecret(firstKey.secret);
  const hasHome = firstKey !== null || home.publicKey !== "";
  const whenSilent: RentalDeed = home.whenSilent === "stop-rental" ? "stop" : "destroy";
  const facts = {
    ...{ rental, canEnd, hasHome, whenSilent, homeSilenceMs: home.silenceMs, endsAt: thisRental.endsAt },
    idle: { step: whenIdle, afterMs: idle.afterMs },
    accountKeys: accountKeyVariables(environment),
    markets: Object.keys(settings.markets),
  };
  const warnings = startWarnings(facts);
  for (const warning of warnings) log.warn({ market: rental?.market }, warning);

  let ending: { readonly deed: RentalDeed; readonly reason: string; readonly since: number } | null = null;
  let told: Promise<void> | null = null;
  const upstream = createUpstreamFetch({ environment, caFile });

  const carryOut = async (deed: RentalDeed, reason: string, signal: AbortSignal) => {
    if (rental === null || rental.instanceId === null || ownKey === null) {
      log.error({ reason }, "this process ends; the machine goes on costing, and can only be ended at its market");
      return;
    }
    // The box's own way out is closed with the box.
    const way = createUpstreamFetch({ environment, caFile });
    const type = marketTypes[rental.market];
    const baseUrl = thisRental.marketUrl.replace(/\/+$/, "") || type?.baseUrl;
    if (type === undefined || baseUrl == null) throw new Error(`there is no market ${rental.market}`);
    const wire = { title: type.title, baseUrl, secret: ownKey, upstream: way, clock };
    const market = type.open(wire, rental.market, marketSetting.parse({}));
    await endRental({ market, instanceId: rental.instanceId, deed, reason, clock, log }, signal);
    await way.close();
  };
  const end = (deed: RentalDeed, reason: string) => {
    if (ending !== null || rental === null) return;
    ending = { deed, reason, since: clock.now() };
    watch?.stop();
    log.warn({ market: rental.market, instance, deed, reason }, "this rental ends itself");
    options.end({ reason, finishMs: thisRental.finishMs, carryOut: (signal) => carryOut(deed, reason, signal) });
  };

  const rules = {
    homeSilenceMs: hasHome && home.silenceMs > 0 ? home.silenceMs : null,
    whenSilent,
    endsAtMs: thisRental.endsAt === "" ? null : Date.parse(thisRental.endsAt),
  };
  let watch: Watch | null = null;
  if (rental !== null) watch = watchHome(rules, clock, ({ deed, reason }) => end(deed, reason));
  const heartbeats =
    home.publicKey === ""
      ? null
      : createHeartbeats({ publicKey: home.publicKey, instance, clock, heard: () => watch?.heard() });

  return {
    isRental: rental !== null,
    publicUrls: place.urls,
    hosts: [...new Set([...settings.hosts, ...place.hosts])],
    whenIdle,
    graceMs: stopGraceMs(settings.shutdown.graceMs, rental !== null),
    line: rentalLine(facts),
    warnings,
    heartbeats,
    proof: (nonce) => {
      const fingerprint = options.fingerprint();
      if (secret === null || fingerprint === null) return null;
      return { fingerprint, proof: secret.sign(proofText(nonce, fingerprint)) };
    },
    saw: (caller) => {
      if (caller !== null && caller.keyId !== null && caller.keyId === firstKey?.keyId) watch?.heard();
      return caller;
    },
    end,
    leaving: (reason) => {
      if (home.url === "" || secret === null || told !== null) return;
      const homeUrl = home.url.replace(/\/+$/, "");
      told = tellHome(ending?.reason ?? reason, { homeUrl, instance, secret, upstream, clock, log });
    },
    view: () =>
      rental === null
        ? null
        : {
            market: rental.market,
            instanceId: rental.instanceId,
            canEndItself: canEnd,
            home: hasHome ? { ...watch?.view(), whenSilent: home.whenSilent } : null,
            endsAt: rules.endsAtMs,
            ending,
          },
    close: async () => {
      watch?.stop();
      await told;
      await upstream.close();
    },
  };
}

/** Words about a rental on a machine that is none would be believed, and cost. */
function refuseRentalWords({ idle, thisRental }: Config): void {
  const isIdleStep = idle.whenIdle === "stop-rental" || idle.whenIdle === "destroy-rental";
  if (!isIdleStep && thisRental.endsAt === "") return;
  throw new Failure("cannot_start", "Nobody says that this is a rented machine.", {
    why: isIdleStep
      ? `idle.whenIdle is ${idle.whenIdle}, and neither thisRental.market nor a market's own variables are set.`
      : "thisRental.endsAt is set, and neither thisRental.market nor a market's own variables are.",
    next: ["export LANTHORN_RENTAL_MARKET=vast", "export LANTHORN_IDLE_WHEN_IDLE=exit"],
    param: isIdleStep ? "idle.whenIdle" : "thisRental.market",
  });
}
