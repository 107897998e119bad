/**
 * Rented targets of a box, joined: for each entry of `rentals:` a fleet that is driven and a backend that requests go to. Runs in the
 * server process, opened by the composition root once leases and markets are there. Contacts nobody by itself at once.
 */
import type { Backend } from "../../backends/backend.ts";
import type { RentalLimits, RentalSetting } from "../../config/rental-setting.ts";
import { Failure } from "../../domain/failure.ts";
import type { LocalCost } from "../../domain/local-cost/local-meter.ts";
import type { Clock, Log } from "../../domain/ports.ts";
import type { LeaseView } from "../../domain/rental/lease.ts";
import type { PowerView } from "../../domain/rental/power.ts";
import type { UpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";
import { disksOf } from "../disk-ways.ts";
import type { LeaseDesk } from "../lease-desk.ts";
import type { Market } from "../market.ts";
import { bidOf } from "../rent-ask.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import { createInstances } from "./instances.ts";
import { readMachineKey } from "./machine-key.ts";
import { type MachineAddress, machinePeer } from "./machine-peer.ts";
import { createRentMeter } from "./rent-meter.ts";
import { rentOne, type RentOneParts } from "./rent-one.ts";
import { createRentalBackend } from "./rental-backend.ts";

export interface RentalsParts {
  readonly rentals: Readonly<Record<string, RentalSetting>>;
  readonly limits: RentalLimits;
  /** Of the hours in the settings; null: the machine's own. */
  readonly zone: string | null;
  readonly desk: LeaseDesk;
  readonly markets: readonly Market[];
  /** Names that backends have already: those of `providers:`, and `engine`. */
  readonly taken: readonly string[];
  /** `network.localOnly`: nothing is sent where prompts do not stay with the owner. */
  readonly localOnly: boolean;
  readonly machine: RentOneParts["machine"];
  /** How a machine is reached; absent: at its lease's address, with the key of `keyFile`. */
  readonly reach?: (lease: LeaseView, setting: RentalSetting) => MachineAddress | null;
  readonly home: string;
  readonly upstream: UpstreamFetch;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of every key, so that it can be taken out of texts. */
  knowSecret(secret: string): void;
}

/** One entry of `rentals:`, for `/admin/state` and people. */
export interface RentedTargetView {
  readonly name: string;
  readonly power: PowerView;
  /** Ways to keep its weights while it is asleep, priced, cheapest first; null: their size is not stated, or nothing was rented yet. */
  readonly disk: string | null;
  readonly instances: readonly {
    readonly lease: number;
    readonly state: LeaseView["state"];
    readonly inFlight: number;
  }[];
}

export interface Rentals {
  readonly backends: readonly Backend[];
  /** What attempts at their targets cost. */
  readonly cost: LocalCost;
  view(): readonly RentedTargetView[];
  /** Nothing is started, stopped or rented any more; machines stay as they are, in the lease desk's care. */
  stop(): void;
}

/** Throws Failure `cannot_start` that names the setting at fault. */
export function openRentals(parts: RentalsParts): Rentals {
  const { desk, clock, log } = parts;
  const entries = Object.entries(parts.rentals).filter(
    ([, { dataPolicy }]) => !parts.localOnly || dataPolicy === "local",
  );
  for (const [name, setting] of entries) judge(name, setting, parts);
  const meter = createRentMeter(clock, (id) => entries.some(([name]) => name === id));
  const unwatch = desk.watch(meter.saw);
  const opened = entries.map(([name, setting]) => open(name, setting));

  function open(name: string, setting: RentalSetting): { readonly fleet: Fleet; readonly backend: Backend } {
    const key = readMachineKey(name, setting.keyFile, parts.home);
    if (key !== null) parts.knowSecret(key);
    const market = parts.markets.find(({ id }) => id === setting.market) ?? null;
    const renting = { ...{ name, setting, market, desk, clock, log }, limits: parts.limits, machine: parts.machine };
    const fleet = createFleet({
      ...{ name, setting, desk, clock, log },
      stops: market?.traits.stops ?? true,
      fixed: market?.traits.fixed === true,
      zone: parts.zone,
      rent: (reason, signal) => rentOne(renting, reason, signal),
    });
    const reached = (lease: LeaseView): MachineAddress | null => {
      if (parts.reach !== undefined) return parts.reach(lease, setting);
      return lease.address === null ? null : { url: lease.address, key };
    };
    const peerOf = (lease: LeaseView) => {
      const at = reached(lease);
      if (at === null || lease.address === null) return null;
      if (at.key !== null) parts.knowSecret(at.key);
      return { url: lease.address, peer: machinePeer(name, setting, at, parts) };
    };
    const instances = createInstances(fleet, peerOf, clock);
    fleet.watch(instances.saw);
    return { fleet, backend: createRentalBackend({ name, setting, fleet, instances, meter, desk }) };
  }

  /** By the prices of the newest lease. */
  function diskWords(name: string, leases: readonly LeaseView[]): string | null {
    const setting = parts.rentals[name];
    const lease = leases.at(-1);
    if (setting === undefined || lease === undefined) return null;
    const traits = parts.markets.find(({ id }) => id === lease.market)?.traits ?? null;
    return disksOf(setting, lease.billed ?? lease.quoted, traits)?.words ?? null;
  }

  return {
    backends: opened.map(({ backend }) => backend),
    cost: meter,
    view: () =>
      opened.map(({ fleet, backend }) => {
        const busy = new Map(fleet.ready().map(({ lease, inFlight }) => [lease.id, inFlight]));
        const instances = fleet.leases().map(({ id, state }) => ({ lease: id, state, inFlight: busy.get(id) ?? 0 }));
        return { name: backend.id, power: fleet.power(), disk: diskWords(backend.id, fleet.leases()), instances };
      }),
    stop() {
      unwatch();
      for (const { fleet } of opened) fleet.stop();
    },
  };
}

/** What only shows beside other settings. */
function judge(name: string, setting: RentalSetting, { taken, markets }: RentalsParts): void {
  const wrong = (field: string, why: string) =>
    new Failure("cannot_start", `The rental "${name}" cannot be used as set.`, {
      ...{ why, next: ["lanthorn config show rentals"], param: `rentals.${name}.${field}` },
    });
  if (taken.includes(name)) throw wrong("market", `There is a provider "${name}" too; one of them needs another name.`);
  if (!markets.some(({ id }) => id === setting.market)) {
    const there = markets.map(({ id }) => id).join(", ");
    throw wrong(
      "market",
      `There is no market "${setting.market}". ${there === "" ? "None is set up." : `There are ${there}.`}`,
    );
  }
  if (markets.find(({ id }) => id === setting.market)?.traits.fixed !== true) {
    if (setting.mostUsdPerHour === undefined)
      throw wrong("mostUsdPerHour", "It must say what an hour may cost: GPU and disk together, such as 0.50.");
    if (setting.mayRent && setting.image.trim() === "")
      throw wrong(
        "image",
        "A request may rent one (mayRent), and without an image it would cost money and serve nothing.",
      );
  }
  const { min, max, warm } = setting.instances;
  if (min > max || warm > max) throw wrong("instances", `min and warm are at most max (${max}).`);
  const unknown = Object.keys(setting.modelFacts).find((model) => !setting.models.includes(model));
  if (unknown !== undefined) throw wrong("modelFacts", `"${unknown}" is none of its models.`);
  if (setting.kind === "bid" && setting.bidUsdPerHour === undefined)
    throw wrong("bidUsdPerHour", "A bid needs its amount.");
  bidOf(setting);
}
