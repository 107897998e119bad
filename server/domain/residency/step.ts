/**
 * The rules of residency: what happened → the new state and what is to be done. Pure; the clock is passed in.
 *
 * A request is let in at once when its model is here. Otherwise it waits with all others that want the same model; such a
 * group has its turn by its oldest request. When the first group lacks room, the least recently used models leave for it; one
 * that is in use lets nobody new in and leaves when its users are done, so that no swap has to wait for ever. Whoever waits
 * when a model arrives is let in together, whatever else waits for the room.
 */
import type { Footprint } from "../fit/verdict.ts";
import { type Capacity, hasRoomFor, noBytes, sumOf } from "./memory.ts";
import type {
  RefusalReason,
  Resident,
  ResidencyEvent,
  ResidencyOrder,
  ResidencyState,
  Step,
  UnloadReason,
} from "./state.ts";
import { stays, victimsFor } from "./victims.ts";

export function step(state: ResidencyState, event: ResidencyEvent, nowMs: number): Step {
  const turn = new Turn(state, nowMs);
  turn.take(event);
  turn.settle();
  return turn.outcome();
}

const nobody: ReadonlySet<string> = new Set();

/** One step under way. */
class Turn {
  readonly #before: ResidencyState;
  readonly #nowMs: number;
  readonly #models: Map<string, Resident>;
  readonly #orders: ResidencyOrder[] = [];
  #capacity: Capacity;
  #arrivals: number;
  #wakeAtMs: number | null = null;

  constructor(before: ResidencyState, nowMs: number) {
    this.#before = before;
    this.#nowMs = nowMs;
    this.#models = new Map(before.models);
    this.#arrivals = before.arrivals;
    this.#capacity = before.capacity;
  }

  outcome(): Step {
    const state = { ...this.#before, capacity: this.#capacity, arrivals: this.#arrivals, models: this.#models };
    return { state, orders: this.#orders, wakeAtMs: this.#wakeAtMs };
  }

  take(event: ResidencyEvent): void {
    if (event.type === "tick") return;
    if (event.type === "capacity") {
      this.#capacity = event.capacity;
      return;
    }
    if (event.type === "added") {
      this.#models.set(event.model, newcomer(event.model, event.keepAliveMs, event.pinned));
      return;
    }
    const { model } = event;
    const resident = this.#models.get(model);
    if (resident === undefined) {
      if (event.type === "asked") this.#refuse(model, event.ticket, { type: "removed" });
      return;
    }
    switch (event.type) {
      case "removed":
        this.#change(model, { removed: true });
        this.#refuseAll(model, { type: "removed" });
        return;
      case "asked":
        if (resident.removed) {
          this.#refuse(model, event.ticket, { type: "removed" });
          return;
        }
        this.#arrivals += 1;
        this.#change(model, {
          wish: event.wish,
          waiting: [...resident.waiting, { id: event.ticket, arrival: this.#arrivals }],
        });
        return;
      case "left":
        this.#leave(resident, event.ticket);
        return;
      case "preload":
        if (resident.place !== "away" || resident.removed || this.#groups().length > 0) return;
        this.#change(model, { wish: event.wish });
        if (this.#hasRoomNow(event.wish)) this.#load(model);
        return;
      case "loaded":
        if (resident.place === "coming") this.#arrive(resident);
        return;
      case "failed":
        this.#change(model, { place: "away", footprint: noBytes, leaving: false });
        this.#refuseAll(model, { type: "failed" });
        return;
      case "gone":
        this.#change(model, { place: "away", footprint: noBytes, leaving: false });
        return;
      case "unload":
        if (stays(resident)) this.#change(model, { leaving: true });
        return;
      case "pin":
        this.#change(model, { pinned: event.pinned });
    }
  }

  settle(): void {
    this.#letGo();
    this.#refuseImpossible();
    const closed = this.#makeRoom();
    this.#grantOpen(({ model }) => !closed.has(model));
    this.#endUnused();
  }

  /** It is here: whoever waited for it is served before its room is anybody else's. */
  #arrive({ model, waiting }: Resident): void {
    const nowMs = this.#nowMs;
    // What nobody waited for may be pushed out at once.
    const stayUntilMs = waiting.length > 0 ? nowMs + this.#before.minimumStayMs : nowMs;
    this.#change(model, { place: "here", usedAtMs: nowMs, hereSinceMs: nowMs, stayUntilMs });
    this.#grantAll(model);
  }

  #leave(resident: Resident, ticket: string): void {
    const { model, users, waiting } = resident;
    if (users.has(ticket)) {
      const rest = new Set(users);
      rest.delete(ticket);
      this.#change(model, { users: rest, usedAtMs: this.#nowMs });
      return;
    }
    this.#change(model, { waiting: waiting.filter(({ id }) => id !== ticket) });
  }

  /** Those that were told to leave and have no users any more. */
  #letGo(): void {
    for (const resident of this.#models.values()) {
      const { model, place, removed, leaving, users, waiting } = resident;
      if (removed && place === "away") this.#models.delete(model);
      if ((!removed && !leaving) || users.size > 0) continue;
      // What is being loaded for somebody arrives first, and serves them.
      const isDone = place === "here" || (place === "coming" && waiting.length === 0);
      if (isDone) this.#unload(model, { type: removed ? "removed" : "asked" });
    }
  }

  /** Nobody is left waiting for what cannot happen by itself. */
  #refuseImpossible(): void {
    const capacity = this.#capacity;
    for (const { model, wish } of this.#groups()) {
      const pinned = [...this.#models.values()].filter(
        (other) => other.model !== model && other.pinned && !other.removed && !other.leaving && stays(other),
      );
      if (!hasRoomFor(wish, noBytes, capacity)) this.#refuseAll(model, { type: "too-large", wish });
      else if (!hasRoomFor(wish, sumOf(pinned.map(({ footprint }) => footprint)), capacity)) {
        this.#refuseAll(model, { type: "pinned", wish, by: pinned.map((one) => one.model) });
      }
    }
  }

  /** Loads what has room, and frees the room of the first group that lacks it. Gives the models that let nobody new in. */
  #makeRoom(): ReadonlySet<string> {
    const closed = new Set<string>();
    const capacity = this.#capacity;
    /** What will be taken once the first group that lacks room has it; null: every group so far had room. */
    let after: Footprint | null = null;
    for (const group of this.#groups()) {
      const { model, wish, place } = group;
      const oldest = arrivalOf(group);
      if (after === null) {
        if (place === "away" && this.#hasRoomNow(wish)) {
          this.#load(model);
          continue;
        }
        // Who came before this group, and was kept out for one that has left, is not kept out for this one.
        this.#grantOpen((resident) => arrivalOf(resident) < oldest);
        const victims = victimsFor(wish, [...this.#models.values()], capacity, this.#nowMs);
        // Something is being loaded for others, who are served first.
        if (victims === null) break;
        const staying = [...this.#models.values()].filter((one) => stays(one) && !victims.includes(one));
        after = sumOf([wish, ...staying.map(({ footprint }) => footprint)]);
        this.#pushOut(victims, model, closed);
      } else if (place === "away" && this.#hasRoomNow(wish) && hasRoomFor(wish, after, capacity)) {
        // Takes nothing that the group before it waits for.
        this.#load(model);
        after = sumOf([wish, after]);
      }
    }
    return closed;
  }

  /** All at once when all can go. Until then they let nobody new in: else they would be in use in turns, and never all idle. */
  #pushOut(victims: readonly Resident[], model: string, closed: Set<string>): void {
    const nowMs = this.#nowMs;
    if (victims.every(({ users, stayUntilMs }) => users.size === 0 && nowMs >= stayUntilMs)) {
      for (const victim of victims) this.#unload(victim.model, { type: "room", for: model });
      return;
    }
    for (const victim of victims) {
      if (nowMs < victim.stayUntilMs) this.#wakeAt(victim.stayUntilMs);
      else closed.add(victim.model);
    }
  }

  #endUnused(): void {
    for (const { model, place, users, waiting, pinned, keepAliveMs, usedAtMs } of this.#models.values()) {
      if (place !== "here" || users.size > 0 || waiting.length > 0 || pinned || keepAliveMs === null) continue;
      const dueMs = usedAtMs + keepAliveMs;
      if (this.#nowMs >= dueMs) this.#unload(model, { type: "unused" });
      else this.#wakeAt(dueMs);
    }
  }

  /** Models that are waited for and not here, by their oldest request. */
  #groups(): Resident[] {
    return [...this.#models.values()]
      .filter(({ place, waiting }) => waiting.length > 0 && (place === "away" || place === "going"))
      .sort((left, right) => arrivalOf(left) - arrivalOf(right));
  }

  #hasRoomNow(wish: Footprint): boolean {
    const taken = sumOf([...this.#models.values()].map(({ footprint }) => footprint));
    return hasRoomFor(wish, taken, this.#capacity);
  }

  #load(model: string): void {
    const wish = this.#models.get(model)?.wish ?? noBytes;
    this.#change(model, { place: "coming", footprint: wish, leaving: false, usedAtMs: this.#nowMs, stayUntilMs: 0 });
    this.#orders.push({ type: "load", model });
  }

  #unload(model: string, reason: UnloadReason): void {
    this.#change(model, { place: "going", leaving: false });
    this.#orders.push({ type: "unload", model, reason });
  }

  /** Lets in who waits at models that are here and go on. */
  #grantOpen(which: (resident: Resident) => boolean): void {
    for (const resident of this.#models.values()) {
      const { model, place, leaving, removed, waiting } = resident;
      const isOpen = place === "here" && !leaving && !removed && waiting.length > 0;
      if (isOpen && which(resident)) this.#grantAll(model);
    }
  }

  #grantAll(model: string): void {
    const resident = this.#models.get(model);
    if (resident === undefined || resident.waiting.length === 0) return;
    const tickets = resident.waiting.map(({ id }) => id);
    this.#change(model, {
      waiting: [],
      users: new Set([...resident.users, ...tickets]),
      usedAtMs: this.#nowMs,
    });
    for (const ticket of tickets) this.#orders.push({ type: "grant", model, ticket });
  }

  #refuseAll(model: string, reason: RefusalReason): void {
    const waiting = this.#models.get(model)?.waiting ?? [];
    this.#change(model, { waiting: [] });
    for (const { id } of waiting) this.#refuse(model, id, reason);
  }

  #refuse(model: string, ticket: string, reason: RefusalReason): void {
    this.#orders.push({ type: "refuse", model, ticket, reason });
  }

  #wakeAt(ms: number): void {
    this.#wakeAtMs = Math.min(ms, this.#wakeAtMs ?? ms);
  }

  #change(model: string, part: Partial<Resident>): void {
    const resident = this.#models.get(model);
    if (resident !== undefined) this.#models.set(model, { ...resident, ...part });
  }
}

/** When the oldest that waits for it came. */
function arrivalOf({ waiting }: Resident): number {
  return waiting[0]?.arrival ?? 0;
}

function newcomer(model: string, keepAliveMs: number | null, pinned: boolean): Resident {
  return {
    model,
    place: "away",
    footprint: noBytes,
    wish: noBytes,
    users: nobody,
    waiting: [],
    usedAtMs: 0,
    hereSinceMs: 0,
    stayUntilMs: 0,
    keepAliveMs,
    pinned,
    leaving: false,
    removed: false,
  };
}
