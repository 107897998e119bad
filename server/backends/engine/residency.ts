/**
 * Keeps the room in memory: tells the rules of `domain/residency` what happens and carries out what they order. Runs in the
 * server process. Whoever computes with a model holds a stay, and what somebody stays with is not unloaded.
 */
import { Failure } from "../../domain/failure.ts";
import type { Clock, Log } from "../../domain/ports.ts";
import type { Capacity } from "../../domain/residency/memory.ts";
import {
  emptyResidency,
  type RefusalReason,
  type Resident,
  type ResidencyEvent,
  type ResidencyOrder,
  type ResidencyState,
} from "../../domain/residency/state.ts";
import { step } from "../../domain/residency/step.ts";
import type { ModelHost, ResidencyView } from "./model-host.ts";
import { noRoom, unloadText, waitText } from "./residency-words.ts";

export interface ResidencyOptions {
  readonly capacity: Capacity;
  readonly minimumStayMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** A model is here, and stays until `end`. Counts once. */
export interface Stay {
  end(): void;
}

interface Entry {
  readonly host: ModelHost;
  /** Why it could not be loaded last. */
  failure: Failure | null;
  /** Counts its loads and unloads: what an older one reports is not heard. */
  turn: number;
  readonly onRetired: (() => void)[];
}

interface Pending {
  grant(): void;
  refuse(failure: Failure): void;
}

export class Residency {
  readonly #options: ResidencyOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #keys = new Map<ModelHost, string>();
  readonly #pending = new Map<string, Pending>();
  readonly #events: ResidencyEvent[] = [];
  #state: ResidencyState;
  #busy = false;
  #closed = false;
  #numbers = 0;
  #cancelWake: () => void = () => {};

  constructor(options: ResidencyOptions) {
    this.#options = options;
    this.#state = emptyResidency(options.capacity, options.minimumStayMs);
  }

  add(host: ModelHost, policy: { readonly keepAliveMs: number | null; readonly pinned: boolean }): void {
    const key = this.#newId();
    this.#entries.set(key, { host, failure: null, turn: 0, onRetired: [] });
    this.#keys.set(host, key);
    this.#tell({ type: "added", model: key, ...policy });
  }

  /** Its file is gone. Running answers end as they would; resolves when its process has ended. */
  retire(host: ModelHost): Promise<void> {
    const key = this.#keyOf(host);
    return new Promise((resolve) => {
      this.#entries.get(key)?.onRetired.push(resolve);
      this.#tell({ type: "removed", model: key });
    });
  }

  /**
   * Resolves when the model is here; waits for its load, and for room if need be. Rejects with the signal's reason when
   * that comes first, with `no_room` when it cannot get room, with what the load failed of.
   */
  stay(host: ModelHost, signal: AbortSignal): Promise<Stay> {
    const model = this.#keyOf(host);
    const ticket = this.#newId();
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const refusal = host.refusal();
      if (refusal !== null) throw refusal;
      const wish = host.plan().footprint;
      const end = () => {
        if (this.#pending.delete(ticket)) this.#tell({ type: "left", model, ticket });
      };
      const leave = () => {
        end();
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#pending.set(ticket, {
        grant: () => {
          signal.removeEventListener("abort", leave);
          resolve({ end });
        },
        refuse: (failure) => {
          signal.removeEventListener("abort", leave);
          this.#pending.delete(ticket);
          reject(failure);
        },
      });
      this.#tell({ type: "asked", model, ticket, wish });
    });
  }

  /** Loads it if there is room as things are. */
  preload(host: ModelHost): void {
    const { log } = this.#options;
    const model = this.#keyOf(host);
    try {
      this.#tell({ type: "preload", model, wish: host.plan().footprint });
    } catch (thrown) {
      log.warn({ model: host.file.alias, err: thrown }, "model not loaded at the start");
      return;
    }
    if (this.#resident(host)?.place === "away") {
      log.warn({ model: host.file.alias }, "model not loaded at the start: no room; its first request loads it");
    }
  }

  /** Its users finish first. */
  unload(host: ModelHost): void {
    this.#tell({ type: "unload", model: this.#keyOf(host) });
  }

  pin(host: ModelHost, pinned: boolean): void {
    this.#tell({ type: "pin", model: this.#keyOf(host), pinned });
  }

  /** More is known of the machine. */
  setCapacity(capacity: Capacity): void {
    this.#tell({ type: "capacity", capacity });
  }

  /** How many requests use it, and how many wait for it. */
  usage(host: ModelHost): { readonly using: number; readonly waiting: number } {
    const resident = this.#resident(host);
    return { using: resident?.users.size ?? 0, waiting: resident?.waiting.length ?? 0 };
  }

  about(host: ModelHost): ResidencyView {
    const resident = this.#resident(host);
    if (resident === undefined) return { pinned: false, waiting: 0, waitsFor: null, unloadsAtMs: null };
    const waiting = resident.waiting.length;
    const busy = [...this.#state.models.values()].filter((other) => other.place === "here" && other.users.size > 0);
    const names = busy.map((other) => this.#aliasOf(other.model));
    return {
      pinned: resident.pinned,
      waiting,
      waitsFor: waiting === 0 ? null : waitText(waiting, names),
      unloadsAtMs: this.#unloadsAtMs(resident),
    };
  }

  /** Epoch milliseconds at which the next model leaves memory for want of use; null: none does. */
  nextUnloadMs(): number | null {
    const times = [...this.#state.models.values()].map((one) => this.#unloadsAtMs(one)).filter((ms) => ms !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Nothing is loaded or unloaded any more. */
  close(): void {
    this.#closed = true;
    this.#cancelWake();
  }

  #unloadsAtMs({ place, users, waiting, pinned, keepAliveMs, usedAtMs }: Resident): number | null {
    if (place !== "here" || users.size > 0 || waiting.length > 0 || pinned || keepAliveMs === null) return null;
    const { clock } = this.#options;
    return clock.now() + Math.max(0, usedAtMs + keepAliveMs - clock.monotonicMs());
  }

  /** Orders may tell of further events at once: those have their turn after them. */
  #tell(event: ResidencyEvent): void {
    this.#events.push(event);
    if (this.#busy || this.#closed) return;
    this.#busy = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#apply(next);
    } finally {
      this.#busy = false;
    }
  }

  #apply(event: ResidencyEvent): void {
    const { clock } = this.#options;
    const { state, orders, wakeAtMs } = step(this.#state, event, clock.monotonicMs());
    this.#state = state;
    this.#cancelWake();
    this.#cancelWake =
      wakeAtMs === null
        ? () => {}
        : clock.after(Math.max(0, wakeAtMs - clock.monotonicMs()), () => this.#tell({ type: "tick" }));
    for (const order of orders) this.#carryOut(order);
    for (const [key, entry] of this.#entries) {
      if (state.models.has(key)) continue;
      this.#entries.delete(key);
      this.#keys.delete(entry.host);
      for (const tell of entry.onRetired) tell();
    }
  }

  #carryOut(order: ResidencyOrder): void {
    const entry = this.#entries.get(order.model);
    if (entry === undefined) return;
    switch (order.type) {
      case "load":
        this.#load(order.model, entry);
        return;
      case "unload": {
        const reason = unloadText(order.reason, (key) => this.#aliasOf(key));
        this.#options.log.info({ model: entry.host.file.alias, reason }, "model unloaded");
        entry.turn += 1;
        void entry.host.unload(reason).then(() => this.#tell({ type: "gone", model: order.model }));
        return;
      }
      case "grant":
        this.#pending.get(order.ticket)?.grant();
        return;
      case "refuse":
        this.#pending.get(order.ticket)?.refuse(this.#failureOf(entry, order.reason));
    }
  }

  #load(model: string, entry: Entry): void {
    entry.turn += 1;
    const { turn } = entry;
    entry.host.ready().then(
      () => {
        if (entry.turn === turn) this.#tell({ type: "loaded", model });
      },
      (thrown: unknown) => {
        if (entry.turn === turn) this.lost(entry.host, thrown);
      },
    );
  }

  /** It takes no memory any more, without having been told to. */
  lost(host: ModelHost, thrown: unknown): void {
    const key = this.#keyOf(host);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.failure = thrown instanceof Failure ? thrown : new Failure("internal", "A load failed.", { cause: thrown });
    this.#tell({ type: "failed", model: key });
  }

  #failureOf({ host, failure }: Entry, reason: RefusalReason): Failure {
    const { alias } = host.file;
    if (reason.type === "failed") {
      return failure ?? new Failure("model_unavailable", `"${alias}" could not be loaded.`);
    }
    if (reason.type === "removed") {
      return new Failure("model_not_found", `"${alias}" is not served here any more.`, { param: "model" });
    }
    return noRoom(alias, reason, this.#state.capacity, (key) => this.#aliasOf(key));
  }

  #keyOf(host: ModelHost): string {
    return this.#keys.get(host) ?? "";
  }

  #aliasOf(key: string): string {
    return this.#entries.get(key)?.host.file.alias ?? "another model";
  }

  #resident(host: ModelHost): Resident | undefined {
    return this.#state.models.get(this.#keyOf(host));
  }

  #newId(): string {
    this.#numbers += 1;
    return String(this.#numbers);
  }
}
