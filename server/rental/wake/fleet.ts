/**
 * Drives the instances of one entry of `rentals:`: knows how they are, wakes them for requests, and carries out what
 * `domain/rental/fleet.ts` decides, one order at a time. Runs in the server process. Money, boot deadlines and interruptions are the
 * lease desk's; here is only how many are wanted.
 */
import type { RentalSetting } from "../../config/rental-setting.ts";
import { asFailure, type Failure } from "../../domain/failure.ts";
import type { Clock, Log } from "../../domain/ports.ts";
import {
  decideFleet,
  type FleetFacts,
  type FleetMember,
  type FleetOrder,
  isComing,
  isCrowded,
  isReady,
} from "../../domain/rental/fleet.ts";
import { powerOfFleet } from "../../domain/rental/fleet-power.ts";
import type { LeaseState, LeaseView } from "../../domain/rental/lease.ts";
import { type PowerView, powerView } from "../../domain/rental/power.ts";
import { zonedTime } from "../../domain/routing/zoned-time.ts";
import type { WorkDone } from "../../domain/rental/burn.ts";
import type { LeaseDesk } from "../lease-desk.ts";
import { createBootTimes } from "./boot-times.ts";
import { createFleetCaps } from "./fleet-caps.ts";
import { wishesOf, wishesOfFixed } from "./fleet-wishes.ts";
import { createHoldOff } from "./hold-off.ts";
import { asleepFailure, notReadyInTime, refusedFailure, wakeFailure } from "./power-failures.ts";
import { hourlyNanos } from "./rent-meter.ts";
import { createUses } from "./uses.ts";
import { createWaiters } from "./waiters.ts";

export interface FleetParts {
  readonly name: string;
  readonly setting: RentalSetting;
  /** Of `hours`; null: the machine's own. */
  readonly zone: string | null;
  readonly desk: Pick<LeaseDesk, "list" | "start" | "stop" | "destroy" | "begin" | "watch" | "burn">;
  /** Its market can stop a machine and keep its disk; otherwise what is not needed is destroyed. */
  readonly stops: boolean;
  /** It is a machine of the settings, which is there or is not. */
  readonly fixed?: boolean;
  rent(reason: string, signal: AbortSignal): Promise<LeaseView>;
  readonly clock: Clock;
  readonly log: Log;
}

/** One request at an instance. */
export interface InstanceUse {
  /** Its answer has begun. */
  answers(): void;
  /** Harmless twice. */
  over(done?: Partial<WorkDone>): void;
}

export interface Fleet {
  power(): PowerView;
  /** Those that answer, with how many requests each holds. */
  ready(): readonly { readonly lease: LeaseView; readonly inFlight: number }[];
  /** Every lease of it that has not ended. */
  leases(): readonly LeaseView[];
  /** It is woken, and whoever asked goes elsewhere. Throws what a client is told where it may not be. */
  wake(): void;
  /** Wakes it and waits. False: the signal came first. Throws what a client is told. */
  awake(signal: AbortSignal): Promise<boolean>;
  /** `lost` is called when the machine is known to be gone, with the reason. */
  begin(lease: number, lost: (reason: string) => void): InstanceUse;
  /** Told of each lease of it that changed. */
  watch(listener: (lease: LeaseView) => void): void;
  stop(): void;
}

/** Between two looks while nothing happens. */
const tickMs = 5_000;
/** After orders were carried out. */
const againMs = 1_000;
/** What is there no more, or will not be in a moment. */
const gone: ReadonlySet<LeaseState> = new Set<LeaseState>(["interrupted", "destroying", "ended"]);

export function createFleet(parts: FleetParts): Fleet {
  const { name, setting, desk, clock, log } = parts;
  const wishes = parts.fixed === true ? wishesOfFixed(setting) : wishesOf(setting);
  const leases = new Map<number, LeaseView>();
  /** Told to stop, before the desk says that it does. */
  const stopping = new Set<number>();
  const caps = createFleetCaps(desk, clock);
  const uses = createUses(clock);
  const waiters = createWaiters(clock);
  const boots = createBootTimes(clock, setting.bootDeadlineMs);
  const holdOff = createHoldOff(clock);
  const leaving = new AbortController();
  const listeners: ((lease: LeaseView) => void)[] = [];
  /** Monotonic: until then a request that went elsewhere counts. */
  let wantedUntilMs = 0;
  let crowdedSinceMs: number | null = null;
  let acting = false;
  let cancelTick = () => {};

  const members = (): readonly FleetMember[] =>
    [...leases.values()].map((lease) => {
      const { inFlight, usedAtMs } = uses.of(lease.id);
      const state = lease.state === "ready" && stopping.has(lease.id) ? "stopping" : lease.state;
      return { lease: lease.id, state, sinceMs: lease.since, inFlight, usedAtMs, barred: caps.barOf(lease) };
    });

  function facts(): FleetFacts {
    const all = members();
    const nowMs = clock.now();
    const waiting = uses.unanswered() + waiters.count;
    if (!isCrowded(waiting, all.filter(isReady).length, wishes)) crowdedSinceMs = null;
    else crowdedSinceMs ??= nowMs;
    return {
      ...{ members: all, waiting, crowdedSinceMs, nowMs, time: zonedTime(nowMs, parts.zone) },
      wanted: clock.monotonicMs() < wantedUntilMs,
      refusal: holdOff.held()?.reason ?? null,
    };
  }

  function step(): void {
    if (leaving.signal.aborted) return;
    tick(tickMs);
    const now = facts();
    const { orders, reason, unmet } = decideFleet(now, wishes);
    if (acting) return;
    if (orders.length === 0) {
      const isMoving = now.members.some((member) => isComing(member) || member.state === "stopping");
      if (unmet !== null && !isMoving && waiters.count > 0) waiters.failed(refusedFailure(name, power()));
      return;
    }
    acting = true;
    log.debug({ rental: name, orders, reason }, "orders for rented machines");
    void carriedOut(orders).finally(() => {
      acting = false;
      tick(againMs);
    });
  }

  function tick(delayMs: number): void {
    cancelTick();
    if (!leaving.signal.aborted) cancelTick = clock.after(delayMs, step);
  }

  async function carriedOut(orders: readonly FleetOrder[]): Promise<void> {
    for (const order of orders) {
      try {
        if (order.do === "stop") await stopped(order.lease, order.reason);
        else await woken(order);
      } catch (thrown) {
        if (leaving.signal.aborted) return;
        const failure = asFailure(thrown);
        log.warn({ rental: name, ...order, code: failure.code, err: failure }, "rented machines are not as wanted");
        if (order.do !== "stop") failed(wakeFailure(name, failure), failure.message);
      }
    }
  }

  async function stopped(lease: number, reason: string): Promise<void> {
    // A request may have come since it was decided.
    if (uses.of(lease).inFlight > 0) return;
    stopping.add(lease);
    try {
      saw(await (parts.stops ? desk.stop(lease, reason) : desk.destroy(lease, reason)));
    } finally {
      stopping.delete(lease);
    }
  }

  async function woken(order: Extract<FleetOrder, { do: "start" | "rent" }>): Promise<void> {
    const lease =
      order.do === "start"
        ? await desk.start(order.lease, order.reason)
        : await parts.rent(order.reason, leaving.signal);
    saw(lease);
    if (!isReady(lease) && !isComing(lease)) throw wakeFailure(name, lease);
  }

  /** Whoever waits is told, and for a while there is no other try: each costs money. */
  function failed(failure: Failure, reason = failure.message): void {
    holdOff.failed(failure, reason);
    wantedUntilMs = 0;
    waiters.failed(failure);
  }

  /** Whoever ordered it: by how it was before it was started or rented. */
  function comes(lease: LeaseView, before: LeaseView | undefined): void {
    const sinceMs = clock.monotonicMs() - Math.max(0, clock.now() - lease.since);
    boots.began(lease.id, before === undefined ? "rent" : "start", sinceMs);
  }

  function saw(lease: LeaseView): void {
    const before = leases.get(lease.id);
    if (lease.state === "ended") leases.delete(lease.id);
    else leases.set(lease.id, lease);
    if (isComing(lease)) comes(lease, before);
    for (const listener of listeners) listener(lease);
    if (isReady(lease) && before?.state !== "ready") {
      boots.ready(lease.id);
      holdOff.worked();
      uses.anew(lease.id, null);
      wantedUntilMs = 0;
      waiters.ready();
    }
    const wasComing = before !== undefined && isComing(before);
    if (wasComing && !isComing(lease) && !isReady(lease)) {
      boots.over(lease.id);
      // One that nobody can start needs no time until it is tried again.
      if (parts.fixed === true) waiters.failed(wakeFailure(name, lease));
      else failed(wakeFailure(name, lease), lease.reason);
    }
    if (gone.has(lease.state)) uses.lost(lease.id, lease.reason);
  }

  const power = (): PowerView => {
    const held = holdOff.held();
    const coming = [...leases.values()].filter(isComing).map(({ id }) => id);
    const facts = powerOfFleet(
      {
        members: members(),
        nowMs: clock.now(),
        held: held && {
          reason: held.reason,
          leftMs: held.leftMs,
          isCap: held.failure.code === "budget_exceeded",
        },
        capOfNew: caps.ofNew(),
        takesMs: {
          start: boots.expected("start"),
          rent: boots.expected("rent"),
          coming: boots.expectedOf(coming),
        },
        perHourNanosOf: (id) => {
          const lease = leases.get(id);
          return lease === undefined ? null : hourlyNanos(lease);
        },
        whileAsleep: setting.whileAsleep,
      },
      wishes,
    );
    return powerView(facts, clock.now());
  };

  function wake(): void {
    const view = power();
    if (view.state === "refused" || view.state === "failed") throw refusedFailure(name, view);
    if (view.state === "ready") return;
    wantedUntilMs = clock.monotonicMs() + setting.bootDeadlineMs;
    step();
  }

  for (const lease of desk.list()) {
    if (lease.rental !== name) continue;
    leases.set(lease.id, lease);
    if (isComing(lease)) comes(lease, lease);
    // When it was used last, nobody here remembers.
    uses.anew(lease.id, clock.now());
  }
  const unwatch = desk.watch((lease) => {
    if (lease.rental !== name) return;
    saw(lease);
    step();
  });
  // Nothing is ordered before whoever opened it has what it gives.
  tick(0);

  return {
    power,
    ready: () =>
      [...leases.values()]
        .filter((lease) => isReady(lease) && !stopping.has(lease.id))
        .map((lease) => ({ lease, inFlight: uses.of(lease.id).inFlight })),
    leases: () => [...leases.values()],
    wake,
    async awake(signal) {
      if (signal.aborted) return false;
      if (power().state === "ready") return true;
      const joined = waiters.join(signal, setting.bootDeadlineMs, () => notReadyInTime(name, setting.bootDeadlineMs));
      try {
        wake();
      } catch (refused) {
        waiters.failed(asFailure(refused));
      }
      return joined;
    },
    begin(lease, lost) {
      const end = desk.begin(lease);
      const use = uses.began(lease, lost);
      step();
      return {
        answers: use.answers,
        over: (done) => {
          if (use.over()) end(done);
        },
      };
    },
    watch: (listener) => void listeners.push(listener),
    stop() {
      leaving.abort();
      unwatch();
      cancelTick();
      waiters.failed(asleepFailure(name, power()));
    },
  };
}
