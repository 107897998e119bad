/**
 * A market in memory that behaves as documented, misbehaves when a test says so, and keeps a meter of its own: what it would bill, by
 * instance, in exact fractions. For what lies above the contract; the stand-in markets of `test/support/markets` speak the real wires.
 */
import { addDays, type Day, startOfUtcDay } from "../../../server/domain/day.ts";
import { Failure } from "../../../server/domain/failure.ts";
import type { Clock } from "../../../server/domain/ports.ts";
import type {
  InstanceState,
  RentalBillLine,
  RentalInstance,
  RentalOrder,
  RentalRates,
} from "../../../server/domain/rental/market.ts";
import type { Market, MarketDeed } from "../../../server/rental/market.ts";

export const usd = (amount: number) => Math.round(amount * 1e9);

export const quietRates: RentalRates = {
  ...{ gpuPerHourNanos: usd(0.25), storagePerHourNanos: usd(0.01), stoppedStoragePerHourNanos: usd(0.02) },
  ...{ uploadPerGbNanos: 0, downloadPerGbNanos: 0 },
};

interface Stretch {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly perHourNanos: number;
}

interface Rented {
  instance: RentalInstance;
  readonly stretches: Stretch[];
  sinceMs: number;
  destroysLeft: number;
  isAnswering: boolean;
  /** Null: it does not boot. */
  bootsAtMs: number | null;
  cancel: () => void;
}

/** All of it as JSON, for a box that is killed beside it. */
export interface SavedMarket {
  readonly last: number;
  readonly all: readonly Omit<Rented, "cancel">[];
}

/** What goes wrong from now on; each is used up or lasts as its comment says. */
export interface Faults {
  /** The next create: made and not answered, neither, or refused. */
  create: "none" | "answer-lost" | "lost" | "offer-gone" | "made-twice";
  /** So many looks fail, or come as web page, or are a day old. */
  listsFail: number;
  listsStale: number;
  /** Lists are as things were so long ago. */
  lagMs: number;
  /** A destroy is only heard the so-manyth time. */
  destroyNeeds: number;
  /** So many orders are lost on their way. */
  ordersLost: number;
  /** Started ones stay as they are. */
  startSticks: boolean;
  skewMs: number;
}

export class FakeMarket implements Market {
  readonly id: string;
  readonly type = "fake";
  readonly title = "The fake market";
  readonly traits: Market["traits"];
  readonly faults: Faults = {
    ...{ create: "none", listsFail: 0, listsStale: 0, lagMs: 0, destroyNeeds: 1, ordersLost: 0, startSticks: false },
    skewMs: 0,
  };
  /** Every request, as `create lanthorn-…-1`. */
  readonly log: string[] = [];
  looks = 0;
  readonly #clock: Clock;
  readonly #all = new Map<string, Rented>();
  readonly #history: { readonly atMs: number; readonly instances: readonly RentalInstance[] }[] = [];
  readonly #bootMs: number;
  #last = 0;

  constructor(clock: Clock, options: { id?: string; stops?: boolean; bootMs?: number } = {}) {
    const { id = "fake", stops = true, bootMs = 20_000 } = options;
    this.id = id;
    this.#clock = clock;
    this.#bootMs = bootMs;
    this.traits = {
      ...{
        bids: true,
        stops,
        volumes: false,
        billsAllButStopped: false,
        offersEveryMs: 1000,
        instancesEveryMs: 500,
      },
    };
  }

  saved(): SavedMarket {
    return { last: this.#last, all: [...this.#all.values()].map(({ cancel: _, ...rented }) => rented) };
  }

  restore({ last, all }: SavedMarket): void {
    this.#last = last;
    for (const one of all) {
      const rented: Rented = { ...one, stretches: [...one.stretches], cancel: () => {} };
      this.#all.set(rented.instance.instanceId, rented);
      if (rented.bootsAtMs !== null) this.#bootsIn(rented, Math.max(0, rented.bootsAtMs - this.#clock.now()));
    }
  }

  offers(): Promise<never> {
    return Promise.reject(new Failure("unsupported", "Nobody asks for offers here."));
  }

  async instances() {
    this.looks += 1;
    const { faults } = this;
    if (faults.listsFail > 0) {
      faults.listsFail -= 1;
      throw new Failure("upstream_failed", "The market answered with a web page.");
    }
    const nowMs = this.#clock.now();
    if (faults.listsStale > 0) {
      faults.listsStale -= 1;
      throw new Failure("upstream_failed", "The market's answer is a day old.");
    }
    const then = this.#history.findLast(({ atMs }) => atMs <= nowMs - faults.lagMs);
    const instances = faults.lagMs === 0 ? this.#listed() : (then?.instances ?? []);
    return { instances, takenAtMs: nowMs, skewMs: faults.skewMs };
  }

  async create(order: RentalOrder) {
    this.log.push(`create ${order.label}`);
    const fault = this.faults.create;
    this.faults.create = "none";
    if (fault === "offer-gone") throw new Failure("not_found", "The offer is gone.");
    if (fault === "lost") throw new Failure("upstream_unreachable", "The connection broke off.");
    const instanceId = this.#make(order);
    if (fault === "made-twice") this.#make(order);
    if (fault === "answer-lost") throw new Failure("upstream_cut", "The answer broke off.");
    return { instanceId };
  }

  start(id: string): Promise<MarketDeed> {
    return this.#told("start", id, (rented) => {
      this.#set(rented, { meantToRun: true });
      if (!this.faults.startSticks) this.#boot(rented);
      return "done";
    });
  }

  stop(id: string): Promise<MarketDeed> {
    return this.#told("stop", id, (rented) => {
      this.#set(rented, { meantToRun: false, state: "stopped" });
      return "done";
    });
  }

  destroy(id: string): Promise<MarketDeed> {
    return this.#told("destroy", id, (rented) => {
      rented.destroysLeft = Math.min(rented.destroysLeft, this.faults.destroyNeeds) - 1;
      if (rented.destroysLeft > 0) return "again";
      this.vanish(id);
      return "done";
    });
  }

  async changeBid(id: string, perHour: number): Promise<void> {
    await this.#told("bid", id, (rented) => {
      const rates = { ...(rented.instance.rates ?? quietRates), gpuPerHourNanos: perHour };
      this.#set(rented, { bidPerHourNanos: perHour, rates });
      return "done";
    });
  }

  async bills(from: Day, until: Day): Promise<readonly RentalBillLine[]> {
    const lines: RentalBillLine[] = [];
    for (let day = from; day < until; day = addDays(day, 1)) {
      for (const instanceId of this.#all.keys()) {
        const nanos = this.billed(instanceId, startOfUtcDay(day), startOfUtcDay(addDays(day, 1)));
        if (nanos > 0) lines.push({ day, instanceId, part: "all", attos: BigInt(nanos) * 1_000_000_000n });
      }
    }
    return lines;
  }

  /** What it bills for an instance in a span of time, in nano-USD; all of it when no span is given. */
  billed(instanceId: string, fromMs = 0, untilMs = Number.MAX_SAFE_INTEGER): number {
    const rented = this.#all.get(instanceId);
    if (rented === undefined) return 0;
    const open = { fromMs: rented.sinceMs, untilMs: this.#clock.now(), perHourNanos: this.#rate(rented) };
    const sum = [...rented.stretches, open].reduce((total, stretch) => {
      const ms = Math.max(0, Math.min(stretch.untilMs, untilMs) - Math.max(stretch.fromMs, fromMs));
      return total + BigInt(ms) * BigInt(stretch.perHourNanos);
    }, 0n);
    return Number(sum / 3_600_000n);
  }

  billedInAll(): number {
    return [...this.#all.keys()].reduce((sum, id) => sum + this.billed(id), 0);
  }

  /** What it lists, whatever its lists say. */
  standing(): readonly RentalInstance[] {
    return this.#listed();
  }

  isAnswering(id: string): boolean {
    const rented = this.#all.get(id);
    return rented !== undefined && rented.instance.state === "running" && rented.isAnswering;
  }

  /** Its server hangs, or does again; the market sees nothing of it. */
  answers(id: string, isAnswering: boolean): void {
    const rented = this.#all.get(id);
    if (rented !== undefined) rented.isAnswering = isAnswering;
  }

  /** Somebody bids more. */
  outbid(id: string): void {
    const rented = this.#all.get(id);
    if (rented === undefined) return;
    this.#set(rented, { state: "stopped", words: "outbid" });
  }

  becomes(id: string, state: InstanceState, meantToRun?: boolean): void {
    const rented = this.#all.get(id);
    if (rented === undefined) return;
    this.#set(rented, { state, ...(meantToRun === undefined ? {} : { meantToRun }) });
  }

  /** It comes up again by itself. */
  resumes(id: string): void {
    const rented = this.#all.get(id);
    if (rented !== undefined) this.#boot(rented);
  }

  vanish(id: string): void {
    const rented = this.#all.get(id);
    if (rented === undefined) return;
    this.#set(rented, { state: "gone" });
  }

  /** One that a person rented, or a box that is not there any more. */
  foreign(label: string | null): string {
    return this.#make(
      {
        ...{ offerId: "1", label: "", kind: "on-demand", bidPerHourNanos: null, gpu: "RTX 3090", gpuCount: 1 },
        ...{ diskBytes: 0, image: "", port: 4747, environment: {}, onStart: "", volumeId: null },
      },
      label,
    );
  }

  #make(order: RentalOrder, label: string | null = order.label): string {
    this.#last += 1;
    const instanceId = `i${this.#last}`;
    const { kind, bidPerHourNanos, gpu, gpuCount } = order;
    const nowMs = this.#clock.now();
    const rates = { ...quietRates, ...(bidPerHourNanos === null ? {} : { gpuPerHourNanos: bidPerHourNanos }) };
    const rented: Rented = {
      instance: {
        ...{ market: this.id, instanceId, label, state: "scheduling", words: "scheduling", meantToRun: true, kind },
        ...{ bidPerHourNanos, gpu, gpuCount, rates, address: null, region: null, createdAtMs: nowMs },
      },
      ...{ stretches: [], sinceMs: nowMs, destroysLeft: Number.MAX_SAFE_INTEGER, isAnswering: true },
      ...{ bootsAtMs: null, cancel: () => {} },
    };
    this.#all.set(instanceId, rented);
    this.#boot(rented);
    return instanceId;
  }

  #boot(rented: Rented): void {
    this.#set(rented, { state: "loading" });
    this.#bootsIn(rented, this.#bootMs);
  }

  #bootsIn(rented: Rented, ms: number): void {
    rented.bootsAtMs = this.#clock.now() + ms;
    rented.cancel = this.#clock.after(ms, () => this.#set(rented, { state: "running", address: "http://127.0.0.1:1" }));
  }

  /** The GPU while it runs, as markets do; the disk from its creation to its end. */
  #rate({ instance: { state, rates } }: Rented): number {
    const { gpuPerHourNanos, storagePerHourNanos, stoppedStoragePerHourNanos } = rates ?? quietRates;
    if (state === "gone") return 0;
    if (state === "stopped" || state === "exited") return stoppedStoragePerHourNanos;
    return storagePerHourNanos + (state === "scheduling" || state === "loading" ? 0 : gpuPerHourNanos);
  }

  #set(rented: Rented, change: Partial<RentalInstance>): void {
    if (change.state !== undefined) {
      rented.cancel();
      rented.bootsAtMs = null;
    }
    const nowMs = this.#clock.now();
    rented.stretches.push({ fromMs: rented.sinceMs, untilMs: nowMs, perHourNanos: this.#rate(rented) });
    rented.sinceMs = nowMs;
    const { state = rented.instance.state } = change;
    rented.instance = { ...rented.instance, words: state, ...change };
    this.#history.push({ atMs: nowMs, instances: this.#listed() });
  }

  #listed(): readonly RentalInstance[] {
    return [...this.#all.values()].flatMap(({ instance }) => (instance.state === "gone" ? [] : [instance]));
  }

  async #told(what: string, id: string, work: (rented: Rented) => MarketDeed): Promise<MarketDeed> {
    this.log.push(`${what} ${id}`);
    if (this.faults.ordersLost > 0) {
      this.faults.ordersLost -= 1;
      throw new Failure("upstream_unreachable", "The connection broke off.");
    }
    const rented = this.#all.get(id);
    if (rented === undefined || rented.instance.state === "gone") return "gone";
    return work(rented);
  }
}
