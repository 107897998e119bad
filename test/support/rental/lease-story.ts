/**
 * Random stories of one lease against a market that is as bad as chance wants it, without any I/O: answers are lost, lists are old or do
 * not come, orders need several tries, hosts go and come back. Throws where a rule is broken.
 */
import type { LeaseRecord, LeaseWish, OrderKind } from "../../../server/domain/rental/lease-record.ts";
import { hasEnded, intendedLease, moved } from "../../../server/domain/rental/lease-record.ts";
import { type LeaseFacts, sending, stepped, wished } from "../../../server/domain/rental/lease-step.ts";
import type { InstanceState, RentalInstance } from "../../../server/domain/rental/market.ts";
import { interrupted, observed } from "../../../server/domain/rental/observe.ts";
import { type Random, seeded } from "../random.ts";
import { quietRates } from "./fake-market.ts";
import { box, terms } from "./rental-world.ts";

const startMs = Date.parse("2026-11-02T09:00:00Z");
/** Lists are no older than this: within what a lease waits before it believes that nothing was made. */
const longestLagMs = 45_000;

export interface StoryFigures {
  readonly states: ReadonlySet<string>;
  readonly orders: number;
}

export function leaseStory(seed: number, length: number): StoryFigures {
  const story = new Story(seeded(seed));
  for (let at = 0; at < length; at += 1) story.anything();
  story.end();
  return story.figures;
}

class Story {
  readonly #random: Random;
  readonly #kind: "bid" | "on-demand";
  readonly #canStop: boolean;
  #nowMs = startMs;
  #lease: LeaseRecord;
  /** Null: there is none, or none any more. */
  #instance: RentalInstance | null = null;
  #history: { readonly atMs: number; readonly instance: RentalInstance | null }[] = [{ atMs: 0, instance: null }];
  #made = 0;
  #creating = true;
  #underWay: OrderKind | null = null;
  #misbehaves = true;
  #orders = 0;
  readonly #states = new Set<string>();

  constructor(random: Random) {
    this.#random = random;
    this.#kind = random.chance(0.5) ? "bid" : "on-demand";
    this.#canStop = random.chance(0.8);
    const meant = {
      ...{
        id: 1,
        rental: null,
        market: "fake",
        label: `lanthorn-${box}-1`,
        kind: this.#kind,
        gpu: "RTX 3090",
        gpuCount: 1,
      },
      ...{ bidPerHourNanos: this.#kind === "bid" ? 200_000_000 : null, offerId: "77", quoted: quietRates, terms },
    };
    this.#lease = sending(intendedLease(meant, startMs), "create", startMs);
  }

  get figures(): StoryFigures {
    return { states: this.#states, orders: this.#orders };
  }

  anything(): void {
    const random = this.#random;
    this.#nowMs += random.pick([100, 1_000, 5_000, 30_000, 200_000, random.below(2_000_000)]);
    random.pick([
      () => this.#answers(),
      () => this.#answers(),
      () => this.#list(),
      () => this.#list(),
      () => this.#list(),
      () => this.#world(),
      () => this.#become(this.#lease),
      () => this.#probe(this.#instance?.state === "running" && random.chance(0.8)),
      () => this.#wish(random.pick(["run", "stop", "run", "stop", "end"])),
      () => this.#lost("notice"),
    ])();
  }

  /** Somebody wants it gone, and the market answers from now on: then it is, in bounded time. */
  end(): void {
    this.#wish("end");
    for (let tries = 0; tries < 60; tries += 1) {
      if (tries > 30) this.#misbehaves = false;
      this.#nowMs += 10_000;
      this.#answers();
      this.#nowMs += 60_000;
      this.#become(this.#lease);
      this.#list();
    }
    if (this.#lease.state !== "ended") throw this.#broken("it was not destroyed");
    if (this.#instance !== null) throw this.#broken("an instance was forgotten");
  }

  /** What was sent is heard or not, and answered or not. */
  #answers(): void {
    const random = this.#random;
    if (this.#creating) {
      this.#creating = false;
      const isHeard = random.chance(0.8);
      const isAnswered = random.chance(0.7);
      if (!isHeard) {
        if (isAnswered) this.#become(moved(this.#lease, "ended", "refused", this.#nowMs));
        else this.#unsure();
        return;
      }
      this.#made += 1;
      this.#set(instanceOf(this.#lease, "scheduling"));
      if (!isAnswered) {
        this.#unsure();
        return;
      }
      const made = { ...this.#lease, instanceId: "i1", order: null };
      this.#become(moved(made, "starting", "the market has made it", this.#nowMs));
      return;
    }
    const order = this.#underWay;
    if (order === null) return;
    this.#underWay = null;
    const isLost = this.#misbehaves && random.chance(0.3);
    const isHeard = !isLost || random.chance(0.5);
    const isAgain = this.#misbehaves && random.chance(0.3);
    const isGone = this.#instance === null;
    if (isHeard && !isAgain && this.#instance !== null) {
      if (order === "destroy") this.#set(null);
      else if (order === "stop") this.#set({ ...this.#instance, state: "stopped", meantToRun: false });
      else this.#set({ ...this.#instance, state: "loading", meantToRun: true });
    }
    const { order: sent } = this.#lease;
    const isTaken = !isLost && (isGone || !isAgain) && sent?.kind === order;
    this.#become(isTaken ? { ...this.#lease, order: { ...sent, heardAtMs: this.#nowMs } } : this.#lease);
  }

  /** A list as the market was a moment ago, or none. */
  #list(): void {
    const random = this.#random;
    // While it is asked for, lists say nothing about it.
    if (this.#creating) return;
    this.#nowMs += 1 + random.below(3_000);
    if (this.#misbehaves && random.chance(0.3)) {
      this.#become(this.#lease);
      return;
    }
    const lagMs = this.#misbehaves && random.chance(0.3) ? random.below(longestLagMs) : 0;
    const seen = this.#history.findLast(({ atMs }) => atMs <= this.#nowMs - lagMs)?.instance ?? null;
    const list = { instances: seen === null ? [] : [seen], takenAtMs: this.#nowMs, skewMs: null };
    this.#become(observed(this.#lease, list, this.#nowMs).lease);
  }

  /** What nobody here has done. */
  #world(): void {
    const instance = this.#instance;
    if (instance === null) return;
    const random = this.#random;
    const states: readonly InstanceState[] = [
      "running",
      "running",
      "running",
      "stopped",
      "offline",
      "unknown",
      "exited",
    ];
    if (random.chance(0.05)) this.#set(null);
    else {
      const state = random.pick(states);
      const meantToRun = random.chance(0.1) ? !(instance.meantToRun ?? true) : instance.meantToRun;
      const address = state === "running" ? "http://127.0.0.1:1" : instance.address;
      this.#set({ ...instance, state, meantToRun, address });
    }
  }

  #set(instance: RentalInstance | null): void {
    this.#instance = instance;
    this.#history.push({ atMs: this.#nowMs, instance });
  }

  /** As `leases.ts` does: until now it may have been heard. */
  #unsure(): void {
    this.#become({ ...this.#lease, order: { kind: "create", atMs: this.#nowMs, tries: 1, heardAtMs: null } });
  }

  #wish(wish: LeaseWish): void {
    this.#become(wished(this.#lease, wish, "asked", this.#nowMs));
  }

  #probe(answers: boolean): void {
    const { state, wish } = this.#lease;
    if (state === "ready" && !answers) this.#lost("health");
    else if (state === "starting" && wish === "run" && answers) {
      this.#become(moved(this.#lease, "ready", "it answers", this.#nowMs));
    }
  }

  #lost(source: "notice" | "health"): void {
    if (this.#lease.state !== "ready" && this.#lease.state !== "starting") return;
    this.#become(interrupted(this.#lease, "no_answer", source, "", this.#nowMs).lease);
  }

  /** What is due is decided, and told if nothing else is on its way. */
  #become(next: LeaseRecord): void {
    const nowMs = this.#nowMs;
    const before = this.#lease;
    const facts: LeaseFacts = {
      ...{ nowMs, inFlight: 0, stops: this.#canStop },
      spent: { leaseNanos: 0, dayNanos: 0, monthNanos: 0 },
    };
    this.#lease = next;
    if (this.#underWay === null) {
      const { lease, order } = stepped(next, facts);
      this.#lease = lease;
      if (order !== null && lease.instanceId !== null) {
        this.#lease = sending(lease, order, nowMs);
        this.#underWay = order;
        this.#orders += 1;
      }
    }
    this.#states.add(this.#lease.state);
    if (this.#made > 1) throw this.#broken("two instances of one lease");
    if (before.wish === "end" && this.#lease.wish !== "end") throw this.#broken("the way back from its end");
    if (hasEnded(this.#lease) && this.#instance !== null) throw this.#broken("it ended while its instance stands");
  }

  #broken(words: string): Error {
    return new Error(`${words}: ${JSON.stringify(this.#lease)}`);
  }
}

function instanceOf({ label, kind }: LeaseRecord, state: InstanceState): RentalInstance {
  return {
    ...{ market: "fake", instanceId: "i1", label, state, words: state, meantToRun: true, kind, bidPerHourNanos: null },
    ...{ gpu: "RTX 3090", gpuCount: 1, rates: quietRates, address: null, region: null, createdAtMs: null },
  };
}
