/**
 * The machines of one fleet as peers: one backend for each that is ready, which of them a request goes to, and who is left alone because
 * answers of its broke off. In memory of the server process.
 */
import type { Backend } from "../../backends/backend.ts";
import type { Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/ports.ts";
import type { LeaseView } from "../../domain/rental/lease.ts";
import { chooseInstance } from "../../domain/rental/spread.ts";
import { type Cooldown, mayAsk, notCooling, stepCooldown, waitMs } from "../../domain/routing/cooldown.ts";
import type { Fleet } from "./fleet.ts";

export interface Instance {
  readonly lease: LeaseView;
  readonly peer: Backend;
}

export interface Instances {
  /** Null: none is ready, or all that are have to be left alone. `session`: what belongs together; null: nobody said. */
  choose(session: string | null): Instance | null;
  /** Milliseconds until the first of those that are left alone may be asked; null: there is none. */
  restMs(): number | null;
  /** An answer is whole. */
  worked(lease: number): void;
  /** An answer ended without telling anything. */
  left(lease: number): void;
  /** One failed. */
  broke(lease: number, failure: Failure): void;
  /** It changed: what is known of its address and its failures may be history. */
  saw(lease: LeaseView): void;
}

interface Known {
  readonly url: string;
  readonly peer: Backend;
}

/** A session that was silent for so long is free to go elsewhere: what was computed for it is likely gone. */
const boundForMs = 300_000;
const mostSessions = 2_000;

export function createInstances(fleet: Fleet, peerOf: (lease: LeaseView) => Known | null, clock: Clock): Instances {
  const known = new Map<number, Known>();
  const cooldowns = new Map<number, Cooldown>();
  /** Longest silent first. */
  const bound = new Map<string, { readonly lease: number; readonly atMs: number }>();
  const coolingOf = (lease: number) => cooldowns.get(lease) ?? notCooling;

  const boundOf = (session: string | null): number | null => {
    const last = session === null ? undefined : bound.get(session);
    return last !== undefined && clock.monotonicMs() - last.atMs < boundForMs ? last.lease : null;
  };
  const bind = (session: string, lease: number) => {
    bound.delete(session);
    bound.set(session, { lease, atMs: clock.monotonicMs() });
    const [oldest] = bound.keys();
    if (bound.size > mostSessions && oldest !== undefined) bound.delete(oldest);
  };
  const knownOf = (lease: LeaseView): Known | null => {
    const before = known.get(lease.id);
    if (before !== undefined && before.url === lease.address) return before;
    const now = peerOf(lease);
    if (now !== null) known.set(lease.id, now);
    return now;
  };

  return {
    choose(session) {
      const nowMs = clock.monotonicMs();
      const able = fleet.ready().filter(({ lease }) => mayAsk(coolingOf(lease.id), nowMs) && knownOf(lease) !== null);
      const chosen = chooseInstance(
        able.map(({ lease, inFlight }) => ({ lease: lease.id, inFlight, failing: coolingOf(lease.id).failures > 0 })),
        boundOf(session),
      );
      const lease = able.find((one) => one.lease.id === chosen?.lease)?.lease;
      const peer = lease === undefined ? null : (knownOf(lease)?.peer ?? null);
      if (lease === undefined || peer === null) return null;
      if (session !== null) bind(session, lease.id);
      if (coolingOf(lease.id).untilMs !== null) {
        // Its time is over: this request tries whether it is back.
        cooldowns.set(lease.id, stepCooldown(coolingOf(lease.id), { type: "probe-begun" }, nowMs));
      }
      return { lease, peer };
    },
    restMs() {
      const nowMs = clock.monotonicMs();
      const waits = fleet.ready().map(({ lease }) => waitMs(coolingOf(lease.id), nowMs));
      return waits.length === 0 ? null : Math.min(...waits);
    },
    worked: (lease) => void cooldowns.delete(lease),
    left(lease) {
      const before = cooldowns.get(lease);
      if (before !== undefined) cooldowns.set(lease, stepCooldown(before, { type: "probe-left" }, clock.monotonicMs()));
    },
    broke(lease, failure) {
      const before = coolingOf(lease);
      const { code, coolDownMs } = failure;
      const event = { type: "failed", code, coolDownMs, outOfKeys: false, probe: before.probing } as const;
      cooldowns.set(lease, stepCooldown(before, event, clock.monotonicMs()));
    },
    saw(lease) {
      if (lease.state === "ready") {
        if (known.get(lease.id)?.url !== lease.address) cooldowns.delete(lease.id);
        return;
      }
      known.delete(lease.id);
      cooldowns.delete(lease.id);
    },
  };
}
