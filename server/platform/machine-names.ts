/** The names and addresses by which this machine is reached, as it says itself. Runs in the server; imports node only. */
import { hostname, networkInterfaces } from "node:os";

/** Its addresses, its name, and its name in multicast DNS; lower case, without zones and final dots. */
export function machineNames(): readonly string[] {
  const names: string[] = [];
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address } of addresses ?? []) names.push(address.toLowerCase().replace(/%.*$/, ""));
  }
  const own = hostname().toLowerCase().replace(/\.$/, "");
  if (own !== "") names.push(own);
  const local = localName(own);
  if (local !== null) names.push(local);
  return names;
}

/** `atlas.office.example` → `atlas.local`, the name that multicast DNS knows; null when the machine has no name. */
export function localName(host: string): string | null {
  const label = host.toLowerCase().split(".")[0];
  return label === undefined || label === "" ? null : `${label}.local`;
}
