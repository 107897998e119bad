/**
 * A world around the rules of residency: processes that load, fail and end when chance wants it, requests that come and
 * leave. It carries out what is ordered and fails on every order that must not be given.
 */
import type { Footprint } from "../../server/domain/fit/verdict.ts";
import { type Capacity, hasRoomFor, sumOf } from "../../server/domain/residency/memory.ts";
import {
  emptyResidency,
  type ResidencyEvent,
  type ResidencyOrder,
  type ResidencyState,
} from "../../server/domain/residency/state.ts";
import { step } from "../../server/domain/residency/step.ts";
import { type Random, seeded } from "./random.ts";

interface Child {
  readonly footprint: Footprint;
  stage: "loading" | "up" | "ending";
  /** Not to be pushed out before. */
  stayUntilMs: number;
}

interface Model {
  readonly name: string;
  readonly wish: Footprint;
  readonly keepAliveMs: number | null;
  pinned: boolean;
  removed: boolean;
  child: Child | null;
  usedAtMs: number;
  /** Others were pushed out for it, and it has not been loaded since. */
  madeRoomFor: boolean;
  /** Somebody had it unloaded by hand, with requests that wait for it. */
  sentAway: boolean;
}

interface Ticket {
  readonly id: string;
  readonly model: Model;
  status: "waiting" | "using" | "ended";
}

export interface WorldFigures {
  readonly asked: number;
  readonly served: number;
  readonly refused: number;
  readonly left: number;
  readonly loads: number;
  readonly pushedOut: number;
}

/** Runs one random story of `length` events and its end; throws where a rule is broken. */
export function residencyStory(seed: number, length: number): WorldFigures {
  const world = new World(seeded(seed));
  for (let at = 0; at < length; at += 1) world.anything();
  world.end();
  return world.figures;
}

class World {
  readonly #random: Random;
  readonly #capacity: Capacity;
  readonly #minimumStayMs: number;
  readonly #models = new Map<string, Model>();
  readonly #tickets = new Map<string, Ticket>();
  #state: ResidencyState;
  #nowMs = 0;
  #wakeAtMs: number | null = null;
  #numbers = 0;
  readonly figures = { asked: 0, served: 0, refused: 0, left: 0, loads: 0, pushedOut: 0 };

  constructor(random: Random) {
    this.#random = random;
    const vramBytes = random.pick([0, 8]);
    this.#capacity = { ramBytes: 10, vramBytes, totalBytes: random.pick([6, 10, 10 + vramBytes]) };
    this.#minimumStayMs = random.pick([0, 5, 40]);
    this.#state = emptyResidency(this.#capacity, this.#minimumStayMs);
    for (let count = 2 + random.below(4); count > 0; count -= 1) this.#add();
  }

  anything(): void {
    const random = this.#random;
    const models = [...this.#models.values()];
    const model = models.length === 0 ? null : random.pick(models);
    const chance = random.number();
    if (model === null || (chance < 0.01 && models.length < 6)) this.#add();
    else if (chance < 0.36) this.#ask(model);
    else if (chance < 0.6) this.#leaveSomebody();
    else if (chance < 0.78) this.#childMoves();
    else if (chance < 0.94) this.#timePasses();
    else if (chance < 0.955) this.#pin(model);
    else if (chance < 0.97) this.#happens({ type: "unload", model: model.name });
    else if (chance < 0.985) this.#happens({ type: "preload", model: model.name, wish: model.wish });
    else if (chance < 0.99) this.#remove(model);
    else if (model.child?.stage === "up") this.#lose(model);
  }

  /** Nobody new comes: everybody must have ended when everything that can happen has happened. */
  end(): void {
    const open = () => [...this.#tickets.values()].filter(({ status }) => status !== "ended");
    for (let turns = 0; open().length > 0; turns += 1) {
      if (turns > 10_000) throw new Error("it goes on for ever");
      const children = [...this.#models.values()].filter(({ child }) => child !== null && child.stage !== "up");
      const users = open().filter(({ status }) => status === "using");
      if (children.length > 0) this.#childMoves();
      else if (users.length > 0) this.#leave(this.#random.pick(users));
      else if (this.#wakeAtMs !== null) {
        this.#nowMs = Math.max(this.#nowMs, this.#wakeAtMs);
        this.#happens({ type: "tick" });
      } else throw new Error(`${open().length} requests wait for what never happens`);
    }
  }

  #add(): void {
    const random = this.#random;
    this.#numbers += 1;
    const name = `m${this.#numbers}`;
    const model: Model = {
      name,
      wish: { ramBytes: 1 + random.below(random.chance(0.1) ? 14 : 6), vramBytes: random.below(6) },
      keepAliveMs: random.pick([null, 0, 10, 100]),
      pinned: random.chance(0.1),
      removed: false,
      child: null,
      usedAtMs: 0,
      madeRoomFor: false,
      sentAway: false,
    };
    this.#models.set(name, model);
    this.#happens({ type: "added", model: name, keepAliveMs: model.keepAliveMs, pinned: model.pinned });
  }

  #ask(model: Model): void {
    this.#numbers += 1;
    const id = `t${this.#numbers}`;
    this.#tickets.set(id, { id, model, status: "waiting" });
    this.figures.asked += 1;
    this.#happens({ type: "asked", model: model.name, ticket: id, wish: model.wish });
  }

  #leaveSomebody(): void {
    const open = [...this.#tickets.values()].filter(({ status }) => status !== "ended");
    if (open.length > 0) this.#leave(this.#random.pick(open));
  }

  #leave(ticket: Ticket): void {
    const { id, model } = ticket;
    if (ticket.status === "using") {
      this.figures.served += 1;
      model.usedAtMs = this.#nowMs;
    } else this.figures.left += 1;
    // When the oldest of a group leaves, another group may be first and take the room.
    if (ticket.status === "waiting") model.madeRoomFor = false;
    ticket.status = "ended";
    this.#happens({ type: "left", model: model.name, ticket: id });
  }

  #childMoves(): void {
    const moving = [...this.#models.values()].filter(({ child }) => child !== null && child.stage !== "up");
    if (moving.length === 0) return;
    const model = this.#random.pick(moving);
    const { child } = model;
    if (child?.stage === "ending") {
      model.child = null;
      this.#happens({ type: "gone", model: model.name });
    } else if (child?.stage === "loading") {
      if (this.#random.chance(0.1)) {
        this.#lose(model);
        return;
      }
      child.stage = "up";
      model.usedAtMs = this.#nowMs;
      model.madeRoomFor = false;
      const waited = this.#waiting(model).length > 0;
      child.stayUntilMs = waited ? this.#nowMs + this.#minimumStayMs : this.#nowMs;
      this.#happens({ type: "loaded", model: model.name });
      // Whoever waited is served together, whatever else waits.
      if (this.#waiting(model).length > 0) throw new Error(`${model.name} came and left somebody waiting`);
    }
  }

  #lose(model: Model): void {
    model.child = null;
    this.#happens({ type: "failed", model: model.name });
    if (this.#waiting(model).length > 0) throw new Error(`${model.name} failed and somebody still waits for it`);
  }

  #timePasses(): void {
    const wanted = this.#nowMs + this.#random.below(20);
    // A timer is never late by more than this world's next event.
    if (this.#wakeAtMs !== null && this.#wakeAtMs <= wanted) {
      this.#nowMs = Math.max(this.#nowMs, this.#wakeAtMs);
      this.#happens({ type: "tick" });
    } else this.#nowMs = wanted;
  }

  #pin(model: Model): void {
    model.pinned = this.#random.chance(0.4);
    this.#happens({ type: "pin", model: model.name, pinned: model.pinned });
  }

  #remove(model: Model): void {
    model.removed = true;
    this.#happens({ type: "removed", model: model.name });
    if (this.#waiting(model).length > 0) throw new Error(`${model.name} is gone and somebody still waits for it`);
  }

  #waiting(model: Model): Ticket[] {
    return [...this.#tickets.values()].filter((ticket) => ticket.model === model && ticket.status === "waiting");
  }

  #using(model: Model): Ticket[] {
    return [...this.#tickets.values()].filter((ticket) => ticket.model === model && ticket.status === "using");
  }

  #happens(event: ResidencyEvent): void {
    const outcome = step(this.#state, event, this.#nowMs);
    this.#state = outcome.state;
    this.#wakeAtMs = outcome.wakeAtMs;
    const pushed = outcome.orders.filter((order) => order.type === "unload" && order.reason.type === "room");
    for (const order of outcome.orders) {
      if (order === pushed[0]) this.#checkPushedOut(pushed);
      this.#carryOut(order);
    }
    const taken = sumOf([...this.#models.values()].flatMap(({ child }) => (child === null ? [] : [child.footprint])));
    if (!hasRoomFor(taken, { ramBytes: 0, vramBytes: 0 }, this.#capacity))
      throw new Error("more than there is room for");
    for (const [name, model] of this.#models) {
      if (model.removed && model.child === null) this.#models.delete(name);
    }
  }

  #carryOut(order: ResidencyOrder): void {
    const model = this.#models.get(order.model);
    if (model === undefined) {
      if (order.type === "refuse") this.#refuse(order.ticket);
      else throw new Error(`${order.type} of a model that is not there`);
      return;
    }
    if (order.type === "load") {
      if (model.child !== null) throw new Error(`${model.name} was loaded twice`);
      model.child = { footprint: model.wish, stage: "loading", stayUntilMs: 0 };
      // It comes back for requests that may be older than those whom room was made for meanwhile: these have to wait again.
      if (model.sentAway) for (const other of this.#models.values()) other.madeRoomFor = false;
      model.sentAway = false;
      this.figures.loads += 1;
    } else if (order.type === "grant") {
      const ticket = this.#tickets.get(order.ticket);
      if (model.child?.stage !== "up")
        throw new Error(`${order.ticket} was let in to ${model.name}, which is not there`);
      if (ticket?.status !== "waiting") throw new Error(`${order.ticket} did not wait`);
      ticket.status = "using";
      model.usedAtMs = this.#nowMs;
    } else if (order.type === "refuse") this.#refuse(order.ticket);
    else this.#unload(model, order);
  }

  #refuse(id: string): void {
    const ticket = this.#tickets.get(id);
    if (ticket?.status !== "waiting") throw new Error(`${id} did not wait`);
    ticket.status = "ended";
    ticket.model.madeRoomFor = false;
    this.figures.refused += 1;
  }

  #unload(model: Model, { reason }: Extract<ResidencyOrder, { type: "unload" }>): void {
    const { child, name, pinned, keepAliveMs, usedAtMs } = model;
    if (child === null || child.stage === "ending") throw new Error(`${name} was told to end twice`);
    if (this.#using(model).length > 0) throw new Error(`${name} was told to end while somebody used it`);
    const byItself = reason.type === "unused" || reason.type === "room";
    if (byItself && pinned && !model.removed) throw new Error(`${name} is pinned`);
    if (reason.type === "unused" && (keepAliveMs === null || this.#nowMs - usedAtMs < keepAliveMs)) {
      throw new Error(`${name} was unloaded before its time`);
    }
    if (reason.type === "room" && this.#nowMs < child.stayUntilMs) throw new Error(`${name} had to stay longer`);
    child.stage = "ending";
    model.sentAway = reason.type === "asked" && this.#waiting(model).length > 0;
  }

  /** Each that is pushed out is needed, and a group pushes out once. */
  #checkPushedOut(pushed: readonly ResidencyOrder[]): void {
    this.figures.pushedOut += pushed.length;
    const [first] = pushed;
    const forName = first?.type === "unload" && first.reason.type === "room" ? first.reason.for : "";
    const wanted = this.#models.get(forName);
    if (wanted === undefined || this.#waiting(wanted).length === 0) throw new Error("room was made for nobody");
    if (wanted.madeRoomFor) throw new Error(`room was made for ${forName} twice`);
    wanted.madeRoomFor = true;
    const names = new Set(pushed.map(({ model }) => model));
    const staying = [...this.#models.values()].filter(
      ({ name, child }) => child !== null && child.stage !== "ending" && !names.has(name),
    );
    for (const { model } of pushed) {
      const spared = [...staying, ...[...this.#models.values()].filter(({ name }) => name === model)];
      const taken = sumOf(spared.flatMap(({ child }) => (child === null ? [] : [child.footprint])));
      if (hasRoomFor(wanted.wish, taken, this.#capacity)) throw new Error(`${model} was pushed out for nothing`);
    }
  }
}
