/**
 * Which names a certificate of our own is for, and whether the one at hand still does. Pure: facts in, orders out.
 */
import { isIP } from "node:net";
import { domainToASCII } from "node:url";

/** Longer lists are refused by some clients, and nobody reads them. */
const mostNames = 100;

/** Ways to reach the box that work on every machine. */
const always = ["localhost", "127.0.0.1", "::1"];

/** `Box.example:8443` → `box.example`, `[::1]:443` → `::1`; null for what no certificate can name. */
export function certificateName(host: string): string | null {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(host)?.[1] ?? (isIP(host) === 6 ? host : host.replace(/:\d+$/, ""));
  const name = bare.toLowerCase().replace(/%.*$/, "").replace(/\.$/, "");
  if (isIP(name) !== 0) {
    // An address of one link needs a zone, and no URL carries one.
    return name.startsWith("fe80:") || name === "0.0.0.0" || name === "::" ? null : name;
  }
  const ascii = domainToASCII(name);
  return /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(ascii)
    ? ascii
    : null;
}

/** Names for this machine as it is now: its own, those of `hosts:`, and loopback. Without doubles, at most a hundred. */
export function wantedNames(machine: readonly string[], hosts: readonly string[]): readonly string[] {
  const names = [...always, ...hosts, ...machine].flatMap((host) => certificateName(host) ?? []);
  return [...new Set(names)].slice(0, mostNames);
}

export interface CertificateFacts {
  readonly names: readonly string[];
  readonly notAfterMs: number;
}

/** With less time left than this a new one is made: a box that is switched on twice a year still has a valid one. */
export const renewBeforeMs = 60 * 86_400_000;

export type CertificateOrder =
  | { readonly make: false }
  | { readonly make: true; readonly reason: "none" | "expires" | "names"; readonly names: readonly string[] };

/**
 * Whether to make a certificate, and for which names. Names once in it stay in it: a laptop that moves between two
 * networks has a new fingerprint once, not every day.
 */
export function certificateOrder(
  have: CertificateFacts | null,
  wanted: readonly string[],
  nowMs: number,
): CertificateOrder {
  if (have === null) return { make: true, reason: "none", names: wanted };
  const names = [...new Set([...wanted, ...have.names])].slice(0, mostNames);
  if (have.notAfterMs - nowMs < renewBeforeMs) return { make: true, reason: "expires", names };
  const isMissing = wanted.some((name) => !have.names.includes(name));
  return isMissing ? { make: true, reason: "names", names } : { make: false };
}
