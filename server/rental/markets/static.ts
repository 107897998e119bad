/**
 * A machine with a fixed hourly price that nobody starts or stops through an API: a rented server, a colleague's box. It is listed as one
 * instance that runs, and costs money for as long as it is in the settings; its lease is in `adopted.ts`. Runs in the server. Contacts nobody.
 */
import { Failure } from "../../domain/failure.ts";
import type { RentalInstance, RentalRates } from "../../domain/rental/market.ts";
import { nanosOfUsd } from "../../domain/decimal.ts";
import type { MarketSetting } from "../../config/rental-setting.ts";
import type { Market } from "../market.ts";
import type { MarketWire } from "./call.ts";
import type { MarketType } from "./market-type.ts";

type Machine = NonNullable<MarketSetting["machine"]>;

/** As the settings have it. Its number at the market is the market's name: there is one. */
export function instanceOfMachine(id: string, machine: Machine): RentalInstance & { readonly rates: RentalRates } {
  const storage = nanosOfUsd(machine.storageUsdPerHour);
  return {
    ...{ market: id, instanceId: id, label: null, state: "running", words: "as the settings say", meantToRun: true },
    ...{ kind: "on-demand", bidPerHourNanos: null, gpu: machine.gpu, gpuCount: machine.gpuCount, region: null },
    rates: {
      gpuPerHourNanos: nanosOfUsd(machine.usdPerHour),
      ...{ storagePerHourNanos: storage, stoppedStoragePerHourNanos: storage },
      ...{ uploadPerGbNanos: 0, downloadPerGbNanos: 0 },
    },
    address: machine.url,
    createdAtMs: null,
  };
}

function staticMarket({ title, clock }: MarketWire, id: string, { machine }: MarketSetting): Market {
  const cannot = (what: string) => () =>
    Promise.reject(
      new Failure(
        "unsupported",
        `${title} "${id}" is a machine of your own choosing: nobody can ${what} it from here.`,
        {
          next: [`lanthorn config show markets`],
        },
      ),
    );
  return {
    id,
    type: "static",
    title,
    traits: {
      bids: false,
      stops: false,
      volumes: false,
      billsAllButStopped: false,
      fixed: true,
      offersEveryMs: 60_000,
      instancesEveryMs: 1_000,
    },
    offers: async () => ({ offers: [], rejected: [], takenAtMs: clock.now() }),
    instances: async () => ({
      instances: machine === undefined ? [] : [instanceOfMachine(id, machine)],
      takenAtMs: clock.now(),
      skewMs: 0,
    }),
    create: cannot("rent"),
    start: cannot("start"),
    stop: cannot("stop"),
    destroy: cannot("destroy"),
    changeBid: cannot("bid for"),
    bills: async () => [],
  };
}

export const fixed: MarketType = Object.freeze<MarketType>({
  type: "static",
  title: "A machine with a fixed price",
  baseUrl: null,
  keyVariables: [],
  open: staticMarket,
});
