/**
 * Which Host and Origin are this box's own: the ground of the defence against DNS rebinding and foreign pages. Runs in
 * the server. What follows from the answer is decided in `server/access`; this file only compares names.
 */
import type { Clock } from "../domain/ports.ts";
import { machineNames } from "../platform/machine-names.ts";

/** `Box.local.:4747` → `box.local`, `[::1]:4747` → `::1`; null when it is not a host at all. */
export function hostName(host: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:@/?#\\[\]]+))(?::\d{1,5})?$/i.exec(host);
  if (match === null) return null;
  const name = match[1] ?? match[2];
  return name === undefined ? null : name.toLowerCase().replace(/\.$/, "");
}

/** True for a loopback address or name, and for one of `names`. */
export function isOwnHost(host: string | undefined, names: ReadonlySet<string>): boolean {
  if (host === undefined) return false;
  const name = hostName(host);
  if (name === null) return false;
  return name === "localhost" || name === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name) || names.has(name);
}

/**
 * True when there is no Origin, when the page came from this very Host (scheme aside: TLS may end at a proxy), or when
 * its host is one the owner configured. The port counts: another program's page on this machine is foreign too.
 */
export function isOwnOrigin(
  origin: string | undefined,
  host: string | undefined,
  names: ReadonlySet<string>,
  configured: readonly string[],
): boolean {
  if (origin === undefined) return true;
  const match = /^https?:\/\/([^/]+)$/i.exec(origin);
  const page = match?.[1]?.toLowerCase();
  if (page === undefined) return false;
  if (host !== undefined && page === host.toLowerCase()) return isOwnHost(host, names);
  return configured.some((entry) => {
    const known = entry.toLowerCase();
    return known === page || known === hostName(page);
  });
}

export interface OwnNames {
  ownHost(host: string | undefined): boolean;
  ownOrigin(origin: string | undefined, host: string | undefined): boolean;
}

/** A machine changes its addresses when it changes networks, so an unknown name makes us look again, this often at most. */
const lookAgainMs = 5_000;

export function createOwnNames(options: {
  readonly configured: readonly string[];
  readonly clock: Clock;
  readonly read?: () => readonly string[];
}): OwnNames {
  const { configured, clock, read = machineNames } = options;
  const configuredNames = configured.map((entry) => hostName(entry) ?? entry.toLowerCase());
  const look = () => new Set([...configuredNames, ...read()]);
  let names = look();
  let lookedAtMs = clock.monotonicMs();

  const ownHost = (host: string | undefined): boolean => {
    if (isOwnHost(host, names)) return true;
    if (clock.monotonicMs() - lookedAtMs < lookAgainMs) return false;
    lookedAtMs = clock.monotonicMs();
    names = look();
    return isOwnHost(host, names);
  };
  return { ownHost, ownOrigin: (origin, host) => isOwnOrigin(origin, host, names, configured) };
}
