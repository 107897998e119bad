/**
 * What a stand-in market has: offers, instances, a clock that may run fast, a meter of its own that counts every millisecond exactly, and a log of
 * what it was asked. Knows no wire; `vast.ts` and `runpod.ts` speak it.
 */
import { createServer, connect, type Server, type Socket } from "node:net";

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
  readonly createdAtMs: number;
  readonly environment: Readonly<Record<string, string>>;
  bid: string | null;
  state: State;
  meantToRun: boolean;
  words: string;
  /** A port of this machine that leads to what runs there; null: nothing does. */
  port: number | null;
}

/** Nano-USD by what they are for, exactly; and by day (UTC) for the bill. */
export interface Metered {
  gpu: bigint;
  storage: bigint;
}

export interface HouseOptions {
  /** Market time over real time. */
  readonly speed?: number;
  /** Epoch milliseconds at which its clock begins; now when absent. */
  readonly startMs?: number;
  /** From create or start until it runs, in market time. */
  readonly bootMs?: number;
  readonly offers?: readonly Partial<Offer>[];
  /** `host:port` of what every instance runs. */
  readonly runs?: string | null;
}

const someOffer: Offer = {
  ...{ id: "1", gpu: "RTX 3090", gpuCount: 1, vramMb: 24_576, price: "0.22", leastBid: "0.11", storage: "0.10" },
  ...{ reliability: 0.995, region: "Sweden, SE", available: true },
};

const hourMs = 3_600_000n;
const dayMs = 86_400_000;
/** The meter's own unit: 1e-12 USD times milliseconds of an hour. */
const perUsd = 1_000_000_000_000n;

function picos(usd: string): bigint {
  const [whole = "0", fraction = ""] = usd.split(".");
  return BigInt(whole) * perUsd + BigInt(fraction.padEnd(12, "0").slice(0, 12));
}

export class House {
  readonly calls: string[] = [];
  readonly offers: Offer[];
  readonly rented: Rented[] = [];
  /** Faults by name, with how often each is still to happen. */
  readonly faults = new Map<string, number>();
  readonly #options: HouseOptions;
  readonly #began = performance.now();
  readonly #startMs: number;
  #advancedMs = 0;
  readonly #counted = new Map<string, number>();
  readonly #spent = new Map<string, Map<string, Metered>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #doors = new Map<string, { server: Server; sockets: Set<Socket> }>();
  #lastId = 1000;

  constructor(options: HouseOptions = {}) {
    this.#options = options;
    this.#startMs = options.startMs ?? Date.now();
    this.offers = (options.offers ?? [{}]).map((offer, index) => ({ ...someOffer, id: String(index + 1), ...offer }));
  }

  now(): number {
    const speed = this.#options.speed ?? 1;
    return Math.round(this.#startMs + (performance.now() - this.#began) * speed + this.#advancedMs);
  }

  /** Market time passes at once. */
  advance(ms: number): void {
    this.count();
    this.#advancedMs += ms;
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
    return this.rented.find((one) => one.id === id && one.state !== "gone");
  }

  alive(): readonly Rented[] {
    return this.rented.filter(({ state }) => state !== "gone");
  }

  rent(offer: Offer, wish: Pick<Rented, "label" | "isBid" | "diskGb" | "bid" | "environment">): Rented {
    this.count();
    this.#lastId += 1;
    const one: Rented = {
      ...{ ...wish, id: String(this.#lastId), offer, createdAtMs: this.now(), state: "scheduling", meantToRun: true },
      ...{ words: "", port: null },
    };
    this.rented.push(one);
    this.#counted.set(one.id, this.now());
    this.#boot(one);
    return one;
  }

  start(one: Rented): void {
    one.meantToRun = true;
    if (one.state === "running" || one.state === "scheduling" || one.state === "loading") return;
    this.set(one, "scheduling");
    this.#boot(one);
  }

  stop(one: Rented): void {
    one.meantToRun = false;
    this.set(one, "stopped");
  }

  /** Somebody bids more, or the market takes it back: it is meant to run and does not. */
  outbid(one: Rented): void {
    this.set(one, "stopped", "outbid");
  }

  resume(one: Rented): void {
    if (one.meantToRun) this.#boot(one);
  }

  set(one: Rented, state: State, words = ""): void {
    this.count();
    one.state = state;
    one.words = words;
    if (state !== "running") this.#shut(one);
  }

  /** Every millisecond up to now is on the bill of somebody. */
  count(): void {
    const nowMs = this.now();
    for (const one of this.rented) {
      let fromMs = this.#counted.get(one.id) ?? nowMs;
      while (fromMs < nowMs && one.state !== "gone") {
        const untilMs = Math.min(nowMs, (Math.floor(fromMs / dayMs) + 1) * dayMs);
        this.#add(one, fromMs, BigInt(untilMs - fromMs));
        fromMs = untilMs;
      }
      this.#counted.set(one.id, nowMs);
    }
  }

  /** Nano-USD of one instance, by day. */
  bill(id: string): readonly { readonly day: string; readonly gpuNanos: number; readonly storageNanos: number }[] {
    this.count();
    const nanos = (units: bigint) => Number(units / hourMs / 1000n);
    return [...(this.#spent.get(id) ?? [])].map(([day, { gpu, storage }]) => ({
      ...{ day, gpuNanos: nanos(gpu), storageNanos: nanos(storage) },
    }));
  }

  totalNanos(): number {
    return this.rented
      .flatMap(({ id }) => this.bill(id))
      .reduce((sum, { gpuNanos, storageNanos }) => sum + gpuNanos + storageNanos, 0);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const one of this.rented) this.#shut(one);
  }

  #add(one: Rented, atMs: number, ms: bigint): void {
    const day = new Date(atMs).toISOString().slice(0, 10);
    const days = this.#spent.get(one.id) ?? new Map<string, Metered>();
    this.#spent.set(one.id, days);
    const metered = days.get(day) ?? { gpu: 0n, storage: 0n };
    days.set(day, metered);
    // A host that is offline computes nothing and is not paid for it.
    if (one.state === "running" || one.state === "frozen") metered.gpu += picos(one.bid ?? one.offer.price) * ms;
    metered.storage += ((picos(one.offer.storage) * BigInt(one.diskGb)) / 730n) * ms;
  }

  #boot(one: Rented): void {
    const ms = (this.#options.bootMs ?? 30_000) / (this.#options.speed ?? 1);
    if (this.strikes("scheduling-forever")) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (one.state === "gone" || !one.meantToRun) return;
      this.set(one, "running");
      this.#open(one);
    }, ms);
    this.#timers.add(timer);
  }

  #open(one: Rented): void {
    const [host, port] = (this.#options.runs ?? "").split(":");
    if (host === undefined || port === undefined || this.#doors.has(one.id)) return;
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      const there = connect(Number(port), host);
      for (const end of [socket, there]) {
        sockets.add(end);
        end.on("error", () => {});
        end.on("close", () => {
          sockets.delete(end);
          socket.destroy();
          there.destroy();
        });
      }
      socket.pipe(there).pipe(socket);
    });
    this.#doors.set(one.id, { server, sockets });
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (one.state === "running" && address !== null && typeof address !== "string") one.port = address.port;
    });
  }

  #shut(one: Rented): void {
    const door = this.#doors.get(one.id);
    this.#doors.delete(one.id);
    one.port = null;
    for (const socket of door?.sockets ?? []) socket.destroy();
    door?.server.close();
  }
}
