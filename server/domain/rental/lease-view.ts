/** A lease as people and rooms see it. Pure. */
import type { Nanos } from "../money.ts";
import { type Billing, perHourNanos, perMillionNanos } from "./burn.ts";
import type { Burn, LeaseView } from "./lease.ts";
import type { LeaseRecord } from "./lease-record.ts";
import { destroyAtMs, idleStopAtMs } from "./lease-step.ts";

export interface ViewFacts {
  readonly nowMs: number;
  readonly inFlight: number;
  readonly billing: Billing;
  readonly burn: Burn & { readonly completionTokens: number };
}

export function viewOf(lease: LeaseRecord, { nowMs, inFlight, billing, burn }: ViewFacts): LeaseView {
  const { completionTokens, ...parts } = burn;
  const { terms } = lease;
  const endsAtMs = terms === null ? null : lease.createdAtMs + terms.longestMs;
  const idleStop = idleStopAtMs(lease, inFlight);
  const destroy = destroyAtMs(lease);
  const boot = lease.state === "starting" && terms !== null ? lease.bootSinceMs + terms.bootDeadlineMs : null;
  const untils = [idleStop, destroy, boot, lease.state === "ended" ? null : endsAtMs].filter((at) => at !== null);
  const readyMs = lease.readyMs + (lease.state === "ready" ? Math.max(0, nowMs - lease.sinceMs) : 0);
  return {
    id: lease.id,
    rental: lease.rental,
    market: lease.market,
    label: lease.label,
    instanceId: lease.instanceId,
    state: lease.state,
    since: lease.sinceMs,
    reason: lease.reason,
    until: untils.length === 0 ? null : Math.min(...untils),
    kind: lease.kind,
    bidPerHourNanos: lease.bidPerHourNanos,
    gpu: lease.gpu,
    gpuCount: lease.gpuCount,
    seen: lease.seen,
    quoted: lease.quoted,
    billed: lease.billed,
    perHourNanos: perHourNanos(lease.billed ?? lease.quoted, billing),
    burn: parts,
    tokensServed: completionTokens,
    perMillionTokensNanos: perMillionNanos(parts, completionTokens),
    address: lease.address,
    terms,
    createdAtMs: lease.createdAtMs,
    endsAtMs,
    idleStopAtMs: idleStop,
    destroyAtMs: destroy,
    interruptions: lease.interruptions,
    meanTimeBetweenInterruptionsMs: lease.interruptions === 0 ? null : Math.round(readyMs / lease.interruptions),
  };
}

/** The same with other bills. */
export function withSettled(view: LeaseView, settledNanos: Nanos): LeaseView {
  const burn = { ...view.burn, settledNanos };
  return { ...view, burn, perMillionTokensNanos: perMillionNanos(burn, view.tokensServed) };
}
