/** How the instances of one entry of `rentals:` are as a whole, from what a fleet knows. Pure. */
import type { Nanos } from "../money.ts";
import { canRent, type FleetMember, type FleetWishes, isComing, isReady, whyNoMore } from "./fleet.ts";
import type { PowerFacts, PowerRefusal, WhileAsleep } from "./power.ts";

export interface FleetPowerFacts {
  readonly members: readonly FleetMember[];
  /** Epoch milliseconds. */
  readonly nowMs: number;
  /** The last try came to nothing, and there is no other for so long; null: it did not. */
  readonly held: { readonly reason: string; readonly leftMs: number; readonly isCap: boolean } | null;
  /** Why caps allow no new instance; null: they do. */
  readonly capOfNew: string | null;
  /** How long it takes to start or to rent one, and what is left for the first of those on their way; null: longer than usual. */
  readonly takesMs: { readonly start: number; readonly rent: number; readonly coming: number | null };
  /** GPU and disk of a stopped one for an hour once it is started. */
  perHourNanosOf(lease: number): Nanos | null;
  readonly whileAsleep: WhileAsleep;
}

export function powerOfFleet(facts: FleetPowerFacts, wishes: FleetWishes): PowerFacts {
  const { members, held, takesMs } = facts;
  const ready = members.filter(isReady);
  const coming = members.filter(isComing);
  const whole = {
    ...{ ready: ready.length, coming: coming.length, whileAsleep: facts.whileAsleep },
    ...{ retryMs: null, refusal: null, detail: "", wakeNanos: 0 },
  };
  if (ready.length > 0) return { ...whole, state: "ready", since: earliest(ready), expectedMs: 0 };
  if (coming.length > 0) return { ...whole, state: "waking", since: earliest(coming), expectedMs: takesMs.coming };
  const off = { ...whole, since: earliest(members), expectedMs: null, wakeNanos: null };
  if (held !== null) {
    const refusal: PowerRefusal = held.isCap ? "cap" : "failure";
    return { ...off, state: "failed", detail: held.reason, retryMs: held.leftMs, refusal };
  }
  const stopped = members.find(({ state, barred }) => state === "stopped" && barred === null);
  if (stopped !== undefined) {
    const perHour = facts.perHourNanosOf(stopped.lease);
    const wakeNanos = perHour === null ? null : Math.ceil((perHour * (takesMs.start + wishes.idleStopMs)) / hourMs);
    return { ...off, state: "asleep", expectedMs: takesMs.start, wakeNanos };
  }
  // It will be stopped in a moment, and started then.
  if (members.some(({ state }) => state === "stopping")) return { ...off, state: "asleep", expectedMs: takesMs.start };
  if (!canRent(members, wishes, facts.nowMs)) {
    const isCap = members.some(({ state, barred }) => state === "stopped" && barred?.isCap === true);
    return { ...off, state: "refused", detail: whyNoMore(members, wishes), refusal: isCap ? "cap" : "settings" };
  }
  if (facts.capOfNew !== null) return { ...off, state: "refused", detail: facts.capOfNew, refusal: "cap" };
  return { ...off, state: "asleep", expectedMs: takesMs.rent, detail: "rents one" };
}

const hourMs = 3_600_000;

function earliest(members: readonly FleetMember[]): number | null {
  return members.length === 0 ? null : Math.min(...members.map(({ sinceMs }) => sinceMs));
}
