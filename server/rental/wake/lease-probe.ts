/**
 * Whether a rented machine answers, asked through the very peer that requests will go through: with its key, for a model of its rental.
 * One that was rented by hand is asked what anybody may ask it. Runs in the server process.
 */
import type { RentalSetting } from "../../config/rental-setting.ts";
import { callControl, sendCall } from "../../backends/cloud/call.ts";
import type { LeaseView } from "../../domain/rental/lease.ts";
import type { LeaseProbe } from "../lease-health.ts";
import { type MachineAddress, machinePeer, peerSettings, type PeerPorts, plainMachine } from "./machine-peer.ts";

export interface LeaseProbeParts extends PeerPorts {
  readonly rentals: Readonly<Record<string, RentalSetting>>;
  /** Null: its address is not known yet. Rejects where the machine cannot be told from another. */
  reach(lease: LeaseView, signal: AbortSignal): MachineAddress | null | Promise<MachineAddress | null>;
}

const openLimitMs = 10_000;

export function createLeaseProbe(parts: LeaseProbeParts): LeaseProbe {
  return async (lease, depth, signal) => {
    const at = await parts.reach(lease, signal);
    if (at === null) return false;
    const setting = lease.rental === null ? undefined : parts.rentals[lease.rental];
    if (lease.rental === null || setting === undefined) {
      // `/ready`: it can serve; `/health`: it is there. Both are open to everybody.
      return isOk(depth === "answers" ? "/ready" : "/health", at, parts, signal);
    }
    const peer = machinePeer(lease.rental, setting, at, parts);
    const model = setting.models.find((id) => setting.modelFacts[id]?.capabilities.includes("chat") ?? true);
    // Where no model chats, that it lists them is all that can be asked for cheaply.
    const far = depth === "answers" && model === undefined ? "listed" : depth;
    const name = `${lease.rental}/${model ?? setting.models[0] ?? ""}`;
    const probe = await peer.probe?.(far, name, signal);
    return probe?.able ?? false;
  };
}

async function isOk(path: string, at: MachineAddress, parts: PeerPorts, signal: AbortSignal): Promise<boolean> {
  const { url, upstream = parts.upstream } = at;
  const ports = { ...parts, upstream };
  const settings = { ...peerSettings("machine", plainMachine, url), baseUrl: url.replace(/\/v1\/?$|\/+$/, "") };
  const control = callControl(signal);
  try {
    const call = { method: "GET" as const, path, headers: {}, body: null, secret: null, limitMs: openLimitMs };
    const answer = await sendCall(settings, call, control, ports);
    answer.body.destroy();
    return answer.statusCode === 200;
  } finally {
    control.leave();
  }
}
