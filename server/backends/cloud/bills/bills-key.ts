/**
 * The key that a bill is read with: the environment's, the box's own store's, or, where the provider takes it, the one that calls are
 * made with. All of them are for the host of the base URL. Runs in the server, and in `usage reconcile` while none runs.
 */
import { findKeys, hostOf, isOwnAddress, type StoredSecret } from "../keys/find-keys.ts";
import type { CloudSettings } from "../settings.ts";
import type { BillSource } from "./bill-source.ts";

export interface BillsKey {
  /** `environment OPENAI_ADMIN_KEY`, `stored 3`. */
  readonly source: string;
  readonly secret: string;
}

export interface BillsKeySources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly keyFile: string;
  readonly home: string;
  readonly stored: (provider: string, host: string, purpose: "calls" | "bills") => readonly StoredSecret[];
}

/** `my-openai` → `LANTHORN_PROVIDER_MY_OPENAI_BILLS_KEY`. */
export function billsVariable(id: string): string {
  return `LANTHORN_PROVIDER_${id.toUpperCase().replace(/[^A-Z0-9]/g, "_")}_BILLS_KEY`;
}

/** Null: there is none. Throws Failure `cannot_start` for a key file that cannot be used. */
export function findBillsKey(settings: CloudSettings, source: BillSource, sources: BillsKeySources): BillsKey | null {
  const { id, baseUrl } = settings;
  // A vendor's own variable is for the vendor's own address only.
  const variables = [billsVariable(id), ...(isOwnAddress(settings) ? source.key.variables : [])];
  for (const name of variables) {
    const secret = sources.environment[name]?.trim() ?? "";
    if (/^[\x21-\x7e]{4,4000}$/.test(secret)) return { source: `environment ${name}`, secret };
  }
  const [stored] = sources.stored(id, hostOf(baseUrl), "bills");
  if (stored !== undefined) return { source: `stored ${stored.id}`, secret: stored.secret };
  if (source.key.kind !== "ordinary") return null;
  const { environment, keyFile, home } = sources;
  const calls = (provider: string, host: string) => sources.stored(provider, host, "calls");
  const [usual] = findKeys(settings, { environment, keyFile, home, stored: calls });
  return usual === undefined ? null : { source: usual.source, secret: usual.secret };
}
