/**
 * A market in memory with an exact meter of its own, on a clock that a test moves: it does what is documented, and misbehaves as it is
 * told. For tests of what lies above the wire; the stand-ins of `test/support/markets` speak the real one.
 */
import { Failure } from "../../server/domain/failure.ts";
import type { Clock } from "../../server/domain/ports.ts";
import type {
  InstanceState,
  RentalInstance,
  RentalOffer,
  RentalOrder,
  RentalRates,
} from "../../server/domain/rental/market.ts";
import type { Market } from "../../server/rental/market.ts";

export const someRates: RentalRates = Object.freeze({
  gpuPerHourNanos: 300_000_000,
  storagePerHourNanos: 8_000_000,
  stoppedStoragePerHourNanos: 8_000_000,
  uploadPerGbNanos: 0,
  downloadPerGbNanos: 0,
});

export const someOffer: RentalOffer = Object.freeze({
  ...{ market: "here", offerId: "7", kind: "bid", gpu: "RTX 3090", gpuCount: 1, vramBytes: 24e9, rates: someRates },
  ...{
    leastBidPerHourNanos: 200_000_000,
    reliability: 0.99,
    region: null,
    verified: true,
    longestMs: null,
    availability: null,
  },
});

interface Made {
  readonly id: string;
  readonly label: string;
  readonly order: RentalOrder;
  readonly createdAtMs: number;
  state: InstanceState;
  meantToRun: boolean;
  bid: number | null;
  changedAtMs: number;
  /** Nano-USD times milliseconds of an hour. */
  spent: bigint;
}

export interface ScriptedMarket extends Market {
  readonly calls: string[];
  readonly made: Made[];
  /** What the next such call fails with, once each. */
  failing: Map<string, Failure[]>;
  /** An instance is made although its create fails. */
  losesAnswers: boolean;
  /** How often a destroy is heard before it is done. */
  destroyTries: number;
  /** From create or start until it runs. */
  bootMs: number;
  set(id: string, state: InstanceState): void;
  /** Nano-USD of all that was ever rented. */
  billedNanos(): number;
}

export function scriptedMarket(clock: Clock, id = "here", stops = true): ScriptedMarket {
  const heard = new Map<string, number>();
  const alive = () => market.made.filter(({ state }) => state !== "gone");
  const rate = ({ state, bid }: Made) => {
    if (state === "gone") return 0;
    if (state === "running" || state === "frozen")
      return (bid ?? someRates.gpuPerHourNanos) + someRates.storagePerHourNanos;
    return someRates.stoppedStoragePerHourNanos;
  };
  const count = (one: Made) => {
    const nowMs = clock.now();
    one.spent += BigInt(rate(one)) * BigInt(Math.round(nowMs - one.changedAtMs));
    one.changedAtMs = nowMs;
  };
  const put = (one: Made, state: InstanceState) => {
    count(one);
    one.state = state;
  };
  const find = (instanceId: string) => alive().find((one) => one.id === instanceId);
  const call = (name: string, what = "") => {
    market.calls.push(what === "" ? name : `${name} ${what}`);
    const failure = market.failing.get(name)?.shift();
    if (failure !== undefined) throw failure;
  };
  const boots = (one: Made) => {
    put(one, "scheduling");
    clock.after(market.bootMs, () => {
      if (one.state === "scheduling" && one.meantToRun) put(one, "running");
    });
  };
  const instance = (one: Made): RentalInstance => ({
    ...{
      market: id,
      instanceId: one.id,
      label: one.label,
      state: one.state,
      words: one.state,
      meantToRun: one.meantToRun,
    },
    ...{ kind: one.order.kind, bidPerHourNanos: one.bid, gpu: one.order.gpu, gpuCount: one.order.gpuCount },
    rates: { ...someRates, gpuPerHourNanos: one.bid ?? someRates.gpuPerHourNanos },
    address: one.state === "running" ? `http://127.0.0.1:9/${one.id}` : null,
    ...{ region: null, createdAtMs: one.createdAtMs },
  });
  const market: ScriptedMarket = {
    ...{ id, type: "scripted", title: "The market here" },
    traits: { bids: true, stops, volumes: false, offersEveryMs: 1_000, instancesEveryMs: 1_000 },
    calls: [],
    made: [],
    failing: new Map(),
    losesAnswers: false,
    destroyTries: 1,
    bootMs: 20_000,
    set: (instanceId, state) => {
      const one = find(instanceId);
      if (one !== undefined) put(one, state);
    },
    billedNanos: () => {
      for (const one of market.made) count(one);
      return market.made.reduce((sum, { spent }) => sum + Number(spent / 3_600_000n), 0);
    },
    async offers() {
      call("offers");
      return { offers: [someOffer], rejected: [], takenAtMs: clock.now() };
    },
    async instances() {
      call("instances");
      return { instances: alive().map(instance), takenAtMs: clock.now(), skewMs: 0 };
    },
    async create(order) {
      const make = () => {
        const nowMs = clock.now();
        const one: Made = {
          ...{ id: `i${market.made.length + 1}`, label: order.label, order, createdAtMs: nowMs, state: "scheduling" },
          ...{ meantToRun: true, bid: order.bidPerHourNanos, changedAtMs: nowMs, spent: 0n },
        };
        market.made.push(one);
        boots(one);
        return one.id;
      };
      if (market.losesAnswers) make();
      call("create", order.label);
      return { instanceId: make() };
    },
    async start(instanceId) {
      call("start", instanceId);
      const one = find(instanceId);
      if (one === undefined) return "gone";
      one.meantToRun = true;
      if (one.state !== "running") boots(one);
      return "done";
    },
    async stop(instanceId) {
      call("stop", instanceId);
      const one = find(instanceId);
      if (one === undefined) return "gone";
      one.meantToRun = false;
      put(one, "stopped");
      return "done";
    },
    async destroy(instanceId) {
      call("destroy", instanceId);
      const one = find(instanceId);
      if (one === undefined) return "gone";
      heard.set(instanceId, (heard.get(instanceId) ?? 0) + 1);
      if ((heard.get(instanceId) ?? 0) < market.destroyTries) return "again";
      put(one, "gone");
      return "done";
    },
    async changeBid(instanceId, perHourNanos) {
      call("bid", instanceId);
      const one = find(instanceId);
      if (one === undefined) throw new Failure("not_found", "There is no such machine.");
      count(one);
      one.bid = perHourNanos;
    },
    bills: async () => [],
  };
  return market;
}
