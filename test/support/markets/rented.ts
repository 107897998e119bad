/**
 * What a stand-in market has: offers, instances, a clock that may run fast, a meter of its own, and a log of what it was asked. Knows no
 * wire; `vast.ts` and `runpod.ts` speak it.
 */
import { Doors, type Runs } from "./doors.ts";
import { MarketClock } from "./market-clock.ts";
import { type DayBill, Meter, picosOf } from "./meter.ts";

export type State = "scheduling" | "loading" | "running" | "frozen" | "stopped" | "exited" | "offline" | "gone";

export interface Offer {
  readonly id: string;
  readonly gpu: string;
  readonly gpuCount: number;
  readonly vramMb: number;
  /** Dollars as text, for one hour; what `nan-prices` and `absurd-prices` put here is whatever they like. */
  price: string;
  leastBid: string;
  /** Dollars for a GB and month. */
  readonly storage: string;
  /** Dollars for a GB, either way. */
  readonly traffic: string;
  readonly reliability: number;
  readonly region: string;
  available: boolean;
}

export interface Rented {
  readonly id: string;
  readonly label: string;
  readonly offer: Offer;
  readonly isBid: boolean;
  readonly diskGb: number;
  /** A second disk that is wiped, and costs nothing, while the instance is stopped. */
  readonly scratchGb: number;
  readonly createdAtMs: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Dollars for an hour of GPU as agreed: whatever the offer asks since then. */
  price: string;
  bid: string | null;
  state: State;
  meantToRun: boolean;
  words: string;
  /** A port of this machine that leads to what runs there; null: nothing does. */
  port: number | null;
}

export interface RentWish extends Pick<Rented, "label" | "isBid" | "diskGb" | "bid" | "environment"> {
  readonly scratchGb?: number;
}

/** What is one market's own way. */
export interface HouseWays {
  /** Price of a stopped instance's disk over that of a running one's. */
  readonly stoppedStorageTimes: bigint;
  /** Of a month of storage. */
  readonly hoursOfMonth: bigint;
  /** Variables that it puts into an instance. `port`: of the way in. */
  inside(one: Rented, port: number): Readonly<Record<string, string>>;
}

export interface HouseOptions {
  /** Market time over real time; 0: only `advance` moves it. */
  readonly speed?: number;
  /** Epoch milliseconds at which its clock begins; now when absent. */
  readonly startMs?: number;
  /** From create or start until it runs, in market time. */
  readonly bootMs?: number;
  readonly offers?: readonly Partial<Offer>[];
  /** What every instance runs. */
  readonly runs?: Runs;
}

const someOffer: Offer = {
  ...{ id: "1", gpu: "RTX 3090", gpuCount: 1, vramMb: 24_576, price: "0.22", leastBid: "0.11", storage: "0.10" },
  ...{ traffic: "0.002", reliability: 0.995, region: "Sweden, SE", available: true },
};
/** From the moment it first runs until the scripts `outbid` and `host-offline` strike; market time. */
const strikesAfterMs = 60_000;

export class House {
  readonly calls: string[] = [];
  readonly offers: Offer[];
  readonly rented: Rented[] = [];
  /** Faults by name, with how often each is still to happen. */
  readonly faults = new Map<string, number>();
  readonly #bootMs: number;
  readonly #ways: HouseWays;
  readonly #clock: MarketClock;
  readonly #meter: Meter;
  readonly #doors: Doors;
  readonly #counted = new Map<string, number>();
  readonly #offersAtStart: readonly Offer[];
  /** Of the boot that is under way, by instance. */
  readonly #boots = new Map<string, () => void>();
  #lastId = 1000;

  constructor(options: HouseOptions, ways: HouseWays) {
    this.#bootMs = options.bootMs ?? 30_000;
    this.#ways = ways;
    this.#meter = new Meter(ways.hoursOfMonth);
    this.#clock = new MarketClock(options.speed ?? 1, options.startMs ?? Date.now());
    this.#doors = new Doors(options.runs ?? null);
    this.offers = (options.offers ?? [{}]).map((offer, index) => ({ ...someOffer, id: String(index + 1), ...offer }));
    this.#offersAtStart = this.offers.map((offer) => ({ ...offer }));
  }

  now(): number {
    return this.#clock.now();
  }

  /** Market time passes at once, and what is due in it happens. */
  advance(ms: number): void {
    this.#clock.advance(ms);
    this.count();
  }

  /** True as often as the fault is to happen. */
  strikes(fault: string): boolean {
    const left = this.faults.get(fault) ?? 0;
    if (left <= 0) return false;
    this.faults.set(fault, left - 1);
    return true;
  }

  find(id: string): Rented | undefined {
    this.#clock.now();
    return this.rented.find((one) => one.id === id && one.state !== "gone");
  }

  alive(): readonly Rented[] {
    this.#clock.now();
    return this.rented.filter(({ state }) => state !== "gone");
  }

  get isStale(): boolean {
    return (this.faults.get("stale") ?? 0) > 0;
  }

  /** What its lists say, which under `stale` is what they said at the start. */
  listed(): readonly Rented[] {
    return this.isStale ? [] : this.alive();
  }

  offered(): readonly Offer[] {
    return this.isStale ? this.#offersAtStart : this.offers;
  }

  rent(offer: Offer, { scratchGb = 0, ...wish }: RentWish): Rented {
    this.count();
    this.#lastId += 1;
    const one: Rented = {
      ...{ ...wish, scratchGb, id: String(this.#lastId), offer, createdAtMs: this.now(), state: "scheduling" },
      ...{ price: wish.bid ?? offer.price, meantToRun: true, words: "", port: null },
    };
    this.rented.push(one);
    this.#counted.set(one.id, this.now());
    this.#boot(one);
    return one;
  }

  start(one: Rented): void {
    one.meantToRun = true;
    if (one.state === "running" || one.state === "scheduling" || one.state === "loading") return;
    // Whose bid is not the best waits for its turn.
    if (one.bid !== null && picosOf(one.bid) < picosOf(one.offer.leastBid)) return;
    this.set(one, "scheduling");
    this.#boot(one);
  }

  stop(one: Rented): void {
    one.meantToRun = false;
    this.set(one, "stopped", "", "asked");
  }

  /** Somebody bids more, or the market takes it back: it is meant to run and does not. */
  outbid(one: Rented): void {
    if (one.bid !== null) one.offer.leastBid = usdOf((picosOf(one.bid) * 11n) / 10n);
    this.set(one, "stopped", "outbid");
  }

  /** The other one is gone. */
  resume(one: Rented): void {
    if (one.bid !== null && picosOf(one.offer.leastBid) > picosOf(one.bid)) one.offer.leastBid = one.bid;
    if (one.meantToRun) this.start(one);
  }

  /** A bid is money from now on, whichever way it goes. */
  changeBid(one: Rented, bid: string): void {
    this.count();
    one.bid = bid;
    one.price = bid;
    if (picosOf(bid) < picosOf(one.offer.leastBid)) {
      if (one.state === "running") this.set(one, "stopped", "outbid");
    } else if (one.meantToRun) this.start(one);
  }

  /** The offer as it is from now on; who has rented it keeps his price. */
  change(offer: Offer, to: Partial<Offer>): void {
    Object.assign(offer, to);
  }

  set(one: Rented, state: State, words = "", how: "asked" | "killed" = "killed"): void {
    this.count();
    one.state = state;
    one.words = words;
    if (state === "running") return;
    one.port = null;
    this.#doors.shut(one.id, state === "gone" ? "asked" : how);
  }

  traffic(one: Rented, bytes: number): void {
    this.#meter.traffic(one.id, one.offer.traffic, bytes, this.now());
  }

  /** Every millisecond up to now is on the bill of somebody. */
  count(): void {
    const nowMs = this.now();
    for (const one of this.rented) {
      const fromMs = this.#counted.get(one.id) ?? nowMs;
      this.#counted.set(one.id, Math.max(fromMs, nowMs));
      if (one.state === "gone" || fromMs >= nowMs) continue;
      const isStopped = one.state === "stopped";
      // A host that is offline computes nothing and is not paid for it.
      if (one.state === "running" || one.state === "frozen") {
        this.#meter.hourly(one.id, "gpu", one.price, fromMs, nowMs);
      }
      const times = isStopped ? this.#ways.stoppedStorageTimes : 1n;
      this.#meter.storage(one.id, one.offer.storage, one.diskGb, fromMs, nowMs, times);
      if (!isStopped) this.#meter.storage(one.id, one.offer.storage, one.scratchGb, fromMs, nowMs);
    }
  }

  /** Nano-USD of one instance, by day. */
  bill(id: string): readonly DayBill[] {
    this.count();
    return this.#meter.bill(id);
  }

  totalNanos(): number {
    return this.rented
      .flatMap(({ id }) => this.bill(id))
      .reduce((sum, { gpuNanos, storageNanos, trafficNanos }) => sum + gpuNanos + storageNanos + trafficNanos, 0);
  }

  async close(): Promise<void> {
    this.#clock.stop();
    await this.#doors.close();
  }

  #boot(one: Rented): void {
    if (this.strikes("scheduling-forever")) return;
    const beganMs = this.now();
    const goesOn = (from: State) => one.meantToRun && one.state === from;
    const next = (atMs: number, work: () => void) => this.#boots.set(one.id, this.#clock.at(atMs, work));
    this.#boots.get(one.id)?.();
    next(beganMs + Math.floor(this.#bootMs / 2), () => {
      if (!goesOn("scheduling")) return;
      this.set(one, "loading");
      next(beganMs + this.#bootMs, () => {
        if (goesOn("loading")) this.#run(one);
      });
    });
  }

  #run(one: Rented): void {
    this.set(one, "running");
    const order = (port: number) => {
      if (one.state === "running") one.port = port;
      const { id, label, environment } = one;
      return { id, label, environment: { ...environment, ...this.#ways.inside(one, port) } };
    };
    this.#doors.open(one.id, {
      order,
      passed: (_direction, bytes) => this.traffic(one, bytes),
    });
    const what = (["outbid", "host-offline"] as const).find((fault) => this.strikes(fault));
    if (what === undefined) return;
    this.#clock.at(this.now() + strikesAfterMs, () => {
      if (one.state !== "running") return;
      if (what === "outbid") this.outbid(one);
      else this.set(one, "offline", "host does not answer");
    });
  }
}

function usdOf(picos: bigint): string {
  return `${picos / 1_000_000_000_000n}.${String(picos % 1_000_000_000_000n).padStart(12, "0")}`;
}
