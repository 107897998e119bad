/** Whether this box tells the LAN of itself, and on which addresses. Pure: facts in, a decision with its reason out. */
import { isIP } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";

export interface AnnounceFacts {
  readonly setting: "auto" | "on" | "off";
  readonly loopbackOnly: boolean;
  /** Its network is not the LAN: multicast ends at the host's bridge. */
  readonly container: boolean;
  /** A market's machine: its neighbours are strangers. */
  readonly rental: boolean;
}

export type AnnounceDecision =
  | { readonly announce: true }
  /** `reason` is for people, and null when there is nothing to explain. */
  | { readonly announce: false; readonly reason: string | null };

export function shouldAnnounce(facts: AnnounceFacts): AnnounceDecision {
  if (facts.setting === "off") return { announce: false, reason: null };
  if (facts.loopbackOnly) {
    const reason = facts.setting === "on" ? "it listens on this computer only, so nobody else could reach it" : null;
    return { announce: false, reason };
  }
  if (facts.setting === "on") return { announce: true };
  if (facts.rental) return { announce: false, reason: "this is a rented machine" };
  if (facts.container) return { announce: false, reason: "this is a container" };
  return { announce: true };
}

/** IPv4 addresses of the interfaces on which others may reach a server that listens on `host`. */
export function announceAddresses(host: string, interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): readonly string[] {
  const own = Object.values(interfaces)
    .flatMap((list) => list ?? [])
    .filter((one) => one.family === "IPv4" && !one.internal)
    .map((one) => one.address);
  const asked = host.replace(/^\[|\]$/g, "");
  const isOne = isIP(asked) !== 0 && asked !== "0.0.0.0" && asked !== "::";
  return isOne ? own.filter((address) => address === asked) : own;
}
